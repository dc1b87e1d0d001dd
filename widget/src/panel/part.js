import {BUTTONS_SHEET, createIcon} from '../buttons/buttons.js';
import {channelData, loadChannel} from '../buttons/channels.js';
import {createLocalized, loadTranslations, translate} from '../buttons/i18n.js';
import {config, ENDPOINT} from '../config.js';
import {createElement} from '../dom.js';
import {callPart, ELEMENT_PREFIX} from '../lazyParts.js';
import {pageTitle} from '../pageTitle.js';
import {reportShare, shareUrl} from '../share.js';
import {createStyleSheet} from '../styleSheet.js';
import {saveTab, tab} from '../tabStorage.js';
import {cleanUrl, pageUrl, tag} from '../url.js';

const PANEL_SHEET = createStyleSheet(
  ':host{color-scheme:light dark}' +
    'dialog{box-sizing:border-box;width:min(22rem,92vw);padding:20px;border:0;border-radius:var(--grapevine-radius,14px);' +
    'background:var(--grapevine-background,Canvas);color:var(--grapevine-color,CanvasText);font:16px/1.4 system-ui;outline:1px solid #8886;box-shadow:0 8px 40px #0006}' +
    'dialog::backdrop{background:#0006}' +
    'form,label{display:grid;gap:8px}' +
    'h2{display:flex;gap:8px;align-items:center;justify-content:space-between;margin:0 0 8px;font:600 18px/1.3 system-ui}' +
    'input{box-sizing:border-box;width:100%;min-height:44px;padding:8px 12px;border:1px solid #888;border-radius:10px;' +
    'background:Field;color:FieldText;font:inherit}' +
    'form>button{box-sizing:border-box;width:100%!important;border:1px solid transparent;opacity:1!important;text-align:center;font:600 16px system-ui;color:#fff!important;' +
    'background:var(--grapevine-accent,#4f46e5)!important;border-radius:10px!important}' +
    'input::placeholder{color:inherit;opacity:.8}' +
    '.code{width:100%;max-height:65vh;padding:8px;box-sizing:border-box;border-radius:8px;background:#fff;color:#000}' +
    'input:focus-visible,button:focus-visible{outline:2px solid;outline-offset:2px}' +
    'form>button:focus-visible{outline-color:#fff;outline-offset:0;box-shadow:0 0 0 4px #000}',
);
const PRINT_SHEET = createStyleSheet(':host{display:none}@media print{:host{display:block;font:12pt system-ui;overflow-wrap:anywhere}}');
const CROSS =
  'M5.6 4.200l6.400 6.400 6.400-6.400 1.400 1.400-6.400 6.400 6.400 6.400-1.400 1.400-6.400-6.400-6.400 6.400-1.400-1.400 6.400-6.400-6.400-6.400z';
/** Milliseconds for which a panel waits for the report of its share. */
const REPORT_TIMEOUT = 1500;

/**
 * Entry of the panel part: shares through a channel that needs a step of its own.
 * @param {'mastodon' | 'qr' | 'print'} channel
 * @returns {Promise<boolean>} whether the page was shared
 */
export const start = async (channel) => {
  await Promise.all([loadTranslations(), loadChannel('mastodon')]);
  return {mastodon: shareToMastodon, qr: showQrCode, print: printPage}[channel]();
};

/** Opens the reader's Mastodon server; asks for its name the first time in this tab. */
const shareToMastodon = () => {
  if (tab.server) return openMastodon(tab.server);
  return new Promise((done) => {
    const form = createElement('form', {method: 'dialog'});
    const label = createElement('label', {textContent: translate('server', 'Your Mastodon server')});
    const field = createElement('input', {
      required: true,
      placeholder: 'mastodon.social',
      autocapitalize: 'none',
      spellcheck: false,
      inputMode: 'url',
    });
    label.append(field);
    form.append(label, createElement('button', {textContent: translate('go', 'Continue')}));
    let shared = false;
    const dialog = showDialog('Mastodon', form, () => done(shared));
    form.onsubmit = (event) => {
      event.preventDefault();
      const [, name] = /^(?:https?:\/\/)?(?:@?[^@/\s]*@)?([\w.-]+(?::\d+)?)/.exec(field.value.trim()) || [];
      if (!name) return;
      shared = openMastodon(name);
      tab.server = name;
      if (tab.session) saveTab();
      dialog.close();
    };
    field.focus();
  });
};

/** Opens the share page of a Mastodon server. */
const openMastodon = (name) => {
  const text = encodeURIComponent(pageTitle() + ' ' + shareUrl('mastodon'));
  reportShare('mastodon', pageUrl());
  createElement('a', {href: `https://${name}/share?text=${text}`, target: '_blank', rel: 'noopener'}).click();
  return true;
};

/**
 * Shows a QR code of the short link, or of this page's own URL where a short link would lead elsewhere. The server draws
 * it, as an SVG of our own: a strict policy blocks images.
 */
const showQrCode = async () => {
  const {session, tokens: {qr: token}} = tab;
  const page = cleanUrl();
  if (!token) return false;
  const shortUrl = await callPart('shortLinks');
  // In a body, because addresses of requests are logged on their way.
  const own = shortUrl?.(token) ? {} : {method: 'POST', body: tag(page, token)};
  const text = await (await fetch(`${ENDPOINT}s/${token}/qr.svg`, {credentials: 'omit', ...own})).text();
  await reportBriefly('qr', page, session, token);
  const [, path] = /<path[^>]* d="([^"]+)"/.exec(text);
  const [, size] = /viewBox="0 0 (\d+)/.exec(text) || /width="(\d+)/.exec(text);
  const [, scale] = /scale\((\d+)/.exec(text) || [0, 1];
  const svg = createIcon(path);
  svg.setAttribute('viewBox', `0 0 ${size / scale} ${size / scale}`);
  svg.setAttribute('class', 'code');
  svg.setAttribute('part', 'code');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', page);
  svg.firstChild.setAttribute('stroke', '#000');
  showDialog(translate('qr', 'QR code'), svg, () => {});
  return true;
};

/** Prints the page with the tagged URL at its end. */
const printPage = async () => {
  const url = shareUrl('print');
  await reportBriefly('print', pageUrl());
  const line = createElement(ELEMENT_PREFIX + '-print');
  const root = line.attachShadow({mode: 'open'});
  root.adoptedStyleSheets = [PRINT_SHEET];
  root.append(url);
  document.body.append(line);
  window.print();
  line.remove();
  return true;
};

/**
 * Reports a share before its link is seen, so that the link leads to the page when somebody follows it. Waits until the
 * server has the report, but not long: it is sent again later, and the reader asked for the panel now.
 */
const reportBriefly = (...share) => Promise.race([reportShare(...share), new Promise((done) => setTimeout(done, REPORT_TIMEOUT))]);

/** Opens a modal dialog. @param {() => void} onClose called when the reader closes it */
const showDialog = (title, content, onClose) => {
  const host = createElement(ELEMENT_PREFIX + '-panel');
  const root = host.attachShadow({mode: 'open'});
  const dialog = createLocalized('dialog', {part: 'panel', ariaLabel: title});
  const heading = createElement('h2', {textContent: title});
  const closeLabel = translate('close', 'Close');
  const close = createElement('button', {type: 'button', title: closeLabel, ariaLabel: closeLabel});
  close.append(createIcon(CROSS));
  close.onclick = () => dialog.close();
  heading.append(close);
  dialog.append(heading, content);
  dialog.onclose = () => {
    host.remove();
    onClose();
  };
  root.adoptedStyleSheets = [BUTTONS_SHEET, PANEL_SHEET];
  if (/light|dark/.test(config.theme)) host.style.colorScheme = config.theme;
  root.append(dialog);
  document.body.append(host);
  dialog.showModal();
  return dialog;
};
