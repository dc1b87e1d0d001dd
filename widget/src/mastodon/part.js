import {loadTranslations, translate} from '../buttons/i18n.js';
import {createElement} from '../dom.js';
import {pageTitle} from '../pageTitle.js';
import {showDialog} from '../panel/showDialog.js';
import {reportShare, shareUrl} from '../share.js';
import {saveTab, tab} from '../tabStorage.js';
import {pageUrl} from '../url.js';

/**
 * Entry of the part for Mastodon: opens the reader's server, and asks for its name. Once it is known in this tab, its page
 * opens at once, and the dialog waits behind it: the name may have been wrong.
 * @returns {Promise<boolean>} whether the page was shared
 */
export const start = async () => {
  await loadTranslations();
  let shared = !!tab.server && openServer(tab.server);
  return new Promise((done) => {
    if (shared) done(shared);
    const form = createElement('form', {method: 'dialog'});
    const text = shared ? translate('change', 'Not your server? Correct it') : translate('server', 'Your Mastodon server');
    const label = createElement('label', {textContent: text});
    const field = createElement('input', {
      required: true,
      value: tab.server || '',
      placeholder: 'mastodon.social',
      autocapitalize: 'none',
      spellcheck: false,
      inputMode: 'url',
      dir: 'ltr',
    });
    label.append(field);
    form.append(label, createElement('button', {className: 'main', textContent: translate('go', 'Continue')}));
    const dialog = showDialog('Mastodon', form, () => done(shared));
    field.oninput = () => field.setCustomValidity('');
    form.onsubmit = (event) => {
      event.preventDefault();
      const name = serverName(field.value);
      if (!serverHost(name)) {
        field.setCustomValidity(translate('server', 'Your Mastodon server'));
        return form.reportValidity();
      }
      shared = openServer(name);
      tab.server = name;
      if (tab.session) saveTab();
      dialog.close();
    };
    field.select();
  });
};

/**
 * Returns the server in what a reader may type: `mastodon.social`, `https://münchen.social/home`, `@me@mastodon.social`.
 */
const serverName = (text) => text.trim().replace(/^(\w+:\/\/)?(@?[^@/]*@)?/, '').replace(/[/?#].*/s, '');

/**
 * Returns the host, with a port if there is one; undefined if it is no name of a server. The URL API turns international
 * names into ASCII.
 */
const serverHost = (name) => {
  try {
    return /^[\w.-]+(:\d+)?$/.exec(new URL('https://' + name).host)?.[0]; // some browsers take a space
  } catch {}
};

/** Opens the share page of a Mastodon server. */
const openServer = (name) => {
  const text = encodeURIComponent(pageTitle() + ' ' + shareUrl('mastodon'));
  reportShare('mastodon', pageUrl());
  createElement('a', {href: `https://${serverHost(name)}/share?text=${text}`, target: '_blank', rel: 'noopener'}).click();
  return true;
};
