import {BUTTONS_SHEET, createIcon} from '../buttons/buttons.js';
import {createLocalized, translate} from '../buttons/i18n.js';
import {pageScheme} from '../buttons/pageScheme.js';
import {createElement} from '../dom.js';
import {ELEMENT_PREFIX} from '../lazyParts.js';
import {createStyleSheet} from '../styleSheet.js';

const PANEL_SHEET = createStyleSheet(
  'dialog{box-sizing:border-box;width:min(22rem,92vw);padding:20px;border:0;border-radius:var(--grapevine-radius,14px);' +
    'background:var(--grapevine-background,Canvas);color:var(--grapevine-color,CanvasText);font:16px/1.4 system-ui;outline:1px solid #8886;box-shadow:0 8px 40px #0006}' +
    'dialog::backdrop{background:#0006}' +
    'form,label{display:grid;gap:8px}' +
    'h2{display:flex;gap:8px;align-items:center;justify-content:space-between;margin:0 0 8px;font:600 18px/1.3 system-ui}' +
    'input{box-sizing:border-box;width:100%;min-height:44px;padding:8px 12px;border:1px solid #888;border-radius:10px;' +
    'background:Field;color:FieldText;font:inherit}' +
    '.main{box-sizing:border-box;width:100%;border:1px solid transparent;opacity:1;text-align:center;font:600 16px system-ui;' +
    'border-radius:10px}' +
    '.main,.main:hover{color:#fff;background:var(--grapevine-accent,#4f46e5)}' +
    'input::placeholder{color:inherit;opacity:.8}' +
    'section{display:grid;gap:12px}' +
    '.code{width:100%;max-height:calc(100vh - 17rem);padding:8px;box-sizing:border-box;border-radius:8px;background:#fff;color:#000}' +
    '@media(max-height:30rem){' + // a phone on its side
    'dialog{width:min(34rem,92vw)}section{grid-template-columns:1fr 1fr;align-items:center}' +
    '.code{grid-row:span 2;max-height:calc(100vh - 9rem)}.code~.main{align-self:start}' +
    '}' +
    'input:focus-visible,button:focus-visible{outline:2px solid;outline-offset:2px}' +
    '.main:focus-visible{outline-color:#fff;outline-offset:0;box-shadow:0 0 0 4px #000}',
);
const CROSS =
  'M28 21l32 32 32-32 7 7-32 32 32 32-7 7-32-32-32 32-7-7 32-32-32-32z';

/**
 * Opens a modal dialog.
 * @param {string} title
 * @param {Element} content
 * @param {() => void} [onClose] called when the reader closes it
 */
export const showDialog = (title, content, onClose) => {
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
    onClose?.();
  };
  root.adoptedStyleSheets = [BUTTONS_SHEET, PANEL_SHEET];
  host.style.colorScheme = pageScheme();
  root.append(dialog);
  document.body.append(host);
  dialog.showModal();
  return dialog;
};
