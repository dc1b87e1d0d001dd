import {createElement} from '../dom.js';
import {createStyleSheet} from '../styleSheet.js';

/** Specific enough to come after the sheet of the bar, less so than what the menu of others says about its buttons. */
const LOOKS_SHEET = createStyleSheet(
  '[part=button] span{display:none}' +
    // Tiles: the channel's colour is dark enough for a white icon and a small number (channels.json).
    '.tiles,.labels{margin:-3px}' +
    '.tiles [part=button]{margin:3px;border-radius:calc(var(--grapevine-radius,14px)*.7);background:var(--brand,var(--grapevine-accent,#4f46e5));color:#fff;opacity:1;' +
    // Seen where a black tile lies on a dark bar.
    'box-shadow:inset 0 0 0 1px #fff3}' +
    '.tiles [part=button]:hover{filter:brightness(.85)}' +
    // Labels: icon and word in a row, on phones one below the other.
    '.labels [part=button]{box-sizing:border-box;display:inline-flex;align-items:center;justify-content:start;gap:8px;margin:3px;width:auto;min-width:var(--grapevine-size,44px);padding:0 14px 0 12px;opacity:1;' +
    'font:500 15px/1.2 system-ui;white-space:nowrap;box-shadow:inset 0 0 0 1px #8889}' +
    '.labels [part=button] span{display:block}' +
    // A count stands under the beginning of the word.
    '.labels [part=count]{inset-inline-start:40px;text-align:start}' +
    ':host([position]) div{margin:0}' +
    ':host([position]) .tiles{gap:0}' +
    ':host([position]) .labels [part=button]{margin:0;box-shadow:none}' +
    '@media(max-width:999px){' +
    ':host([position]) .labels [part=button]{flex-direction:column;gap:3px;width:4.6rem;height:auto;min-height:64px;padding:8px 2px 6px;justify-content:start;' +
    'font-size:11px;text-align:center;white-space:normal;overflow-wrap:anywhere}' +
    // A count stands next to the icon, clear of the word.
    ':host([position]) .labels [part=count]{inset:6px auto auto;inset-inline-start:calc(50% + 12px)}' +
    '}' +
    // Forced colours take backgrounds and shadows away.
    '@media(forced-colors:active){.tiles [part=button],:host(:not([position])) .labels [part=button]{border:1px solid;box-sizing:border-box}}',
);

/**
 * Entry of the part for the looks that are not `plain`: brand-coloured tiles, icons with words.
 * @param {ShadowRoot} root
 * @param {HTMLElement} bar
 * @param {string} look
 */
export const start = (root, bar, look) => {
  if (bar.className == look) return;
  bar.className = look;
  if (!root.adoptedStyleSheets.includes(LOOKS_SHEET)) root.adoptedStyleSheets.push(LOOKS_SHEET);
  for (const button of bar.querySelectorAll('[part=button]')) {
    if (!button.querySelector('span')) button.append(createElement('span', {part: 'label', textContent: button.title}));
  }
};
