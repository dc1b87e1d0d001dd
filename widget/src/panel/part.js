import {icon, SHEET} from '../buttons/buttons.js';
import {kindOf, know} from '../buttons/channels.js';
import {make} from '../dom.js';
import {speak, spoken, word} from '../buttons/i18n.js';
import {data, ENDPOINT} from '../config.js';
import {ELEMENT} from '../lazyParts.js';
import {report, urlFor} from '../share.js';
import {sheetOf} from '../styleSheet.js';
import {keep, tab} from '../tabStorage.js';
import {pageUrl} from '../url.js';

const LOOK = sheetOf(
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
const PAPER = sheetOf(':host{display:none}@media print{:host{display:block;font:12pt system-ui;overflow-wrap:anywhere}}');
const KEY_OF_SERVER = 'grapevine:mastodon';

/** Channels that need a step of their own. @returns {Promise<boolean>} whether the page was shared */
export const start = async (channel) => {
  await Promise.all([speak(), know('mastodon')]);
  return {mastodon, qr, print: printed}[channel]();
};

/** Asks for the reader's server, once, and opens it. */
const mastodon = () => {
  const known = server();
  if (known) return toot(known);
  return new Promise((done) => {
    const form = make('form', {method: 'dialog'});
    const label = make('label', {textContent: word('server', 'Your Mastodon server')});
    const field = make('input', {required: true, placeholder: 'mastodon.social', autocapitalize: 'none', spellcheck: false, inputMode: 'url'});
    label.append(field);
    form.append(label, make('button', {textContent: word('go', 'Continue')}));
    let answered = false;
    const dialog = show('Mastodon', form, () => done(answered));
    form.onsubmit = (event) => {
      event.preventDefault();
      const [, name] = /^(?:https?:\/\/)?(?:@?[^@/\s]*@)?([\w.-]+(?::\d+)?)/.exec(field.value.trim()) || [];
      if (!name) return;
      answered = toot(name);
      server(name);
      dialog.close();
    };
    field.focus();
  });
};

const toot = (name) => {
  const text = encodeURIComponent(document.title + ' ' + urlFor('mastodon'));
  make('a', {href: `https://${name}/share?text=${text}`, target: '_blank', rel: 'noopener'}).click();
  report('mastodon', pageUrl());
  return true;
};

/** The server that was named before; in this tab, or with `data-storage="local"` in this browser. */
const server = (name) => {
  if (name) tab.server = name;
  try {
    if (data.storage == 'local' && tab.session) {
      if (name) localStorage[KEY_OF_SERVER] = name;
      tab.server ||= localStorage[KEY_OF_SERVER];
    }
    if (name && tab.session) keep();
  } catch {}
  return tab.server;
};

/** The server's drawing of the short link; its one path is drawn anew, since a strict policy lets no image through. */
const qr = async () => {
  const token = tab.tokens.qr;
  if (!token) return false;
  const text = await (await fetch(`${ENDPOINT}s/${token}/qr.svg`, {credentials: 'omit'})).text();
  const [, path] = /<path[^>]* d="([^"]+)"/.exec(text);
  const [, size] = /viewBox="0 0 (\d+)/.exec(text) || /width="(\d+)/.exec(text);
  const [, scale] = /scale\((\d+)/.exec(text) || [0, 1];
  const svg = icon(path);
  svg.setAttribute('viewBox', `0 0 ${size / scale} ${size / scale}`);
  svg.setAttribute('class', 'code');
  svg.setAttribute('part', 'code');
  svg.setAttribute('role', 'img');
  svg.setAttribute('aria-label', pageUrl());
  svg.firstChild.setAttribute('stroke', '#000');
  show(word('qr', 'QR code'), svg, () => {});
  report('qr', pageUrl());
  return true;
};

/** Prints the page, with the address that leads back from the paper at its end. */
const printed = () => {
  const line = make(ELEMENT + '-print');
  const root = line.attachShadow({mode: 'open'});
  root.adoptedStyleSheets = [PAPER];
  root.append(urlFor('print'));
  document.body.append(line);
  window.print();
  line.remove();
  report('print', pageUrl());
  return true;
};

const show = (title, content, closed) => {
  const host = make(ELEMENT + '-panel');
  const root = host.attachShadow({mode: 'open'});
  const dialog = spoken('dialog', {part: 'panel', ariaLabel: title});
  const heading = make('h2', {textContent: title});
  const close = make('button', {type: 'button', title: word('close', 'Close'), ariaLabel: word('close', 'Close')});
  close.append(icon('M5.6 4.200l6.400 6.400 6.400-6.400 1.400 1.400-6.400 6.400 6.400 6.400-1.400 1.400-6.400-6.400-6.400 6.400-1.400-1.400 6.400-6.400-6.400-6.400z'));
  close.onclick = () => dialog.close();
  heading.append(close);
  dialog.append(heading, content);
  dialog.onclose = () => {
    host.remove();
    closed();
  };
  root.adoptedStyleSheets = [SHEET, LOOK];
  if (/light|dark/.test(data.theme)) host.style.colorScheme = data.theme;
  root.append(dialog);
  document.body.append(host);
  dialog.showModal();
  return dialog;
};
