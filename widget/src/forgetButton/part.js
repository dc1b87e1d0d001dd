import {createLocalized, loadTranslations, translate} from '../buttons/i18n.js';
import {pageScheme} from '../buttons/pageScheme.js';
import {createElement} from '../dom.js';
import {eraseVisit} from '../forget/eraseVisit.js';
import {guard} from '../guard.js';
import {changeListeners} from '../onChange.js';
import {createStyleSheet} from '../styleSheet.js';
import {tab} from '../tabStorage.js';

/** System colours, as in the bar that stays in view: they follow the colour scheme and are legible on any page. */
const FORGET_SHEET = createStyleSheet(
  ':host{display:block}' +
    'div{display:flex;flex-wrap:wrap;gap:4px 12px;align-items:center;font:16px/1.4 system-ui}' +
    'button{all:unset;box-sizing:border-box;min-height:44px;padding:8px 16px;cursor:pointer;border:1px solid #888;' +
    'border-radius:var(--grapevine-radius,14px);color:var(--grapevine-color,CanvasText);background:var(--grapevine-background,Canvas)}' +
    'button:hover{border-color:currentColor}' +
    // Two rings, white and black: a single one may be invisible on the page's background.
    'button:focus-visible{outline:2px solid #fff;box-shadow:0 0 0 4px #000}' +
    'p{margin:0;font-weight:600}' +
    '@media print{:host{display:none}}',
);

/**
 * Entry of the part that draws `<grapevine-forget>`: a button that erases this tab's visit, and what came of it.
 * @param {HTMLElement} host
 */
export const start = async (host) => {
  if (host.shadowRoot) return;
  const root = host.attachShadow({mode: 'open'});
  await loadTranslations();
  const group = createLocalized('div', {part: 'forget'});
  const button = createElement('button', {type: 'button', part: 'button', textContent: translate('forget', 'Erase this visit')});
  // In the tree from the start: screen readers do not announce text that appears together with its live region.
  const status = createElement('p', {part: 'status', role: 'status', ariaLive: 'polite'});
  let session;
  button.onclick = guard(async () => {
    status.textContent = '';
    const outcome = await eraseVisit();
    session = tab.session;
    status.textContent = {
      erased: translate('erased', 'Erased'),
      nothing: translate('nothing', 'There is nothing to erase'),
      failed: translate('failed', 'That did not work; try again'),
    }[outcome];
  });
  // The outcome was that of an earlier visit.
  changeListeners.add(() => {
    if (tab.session != session) status.textContent = '';
  });
  host.style.colorScheme = pageScheme();
  root.adoptedStyleSheets = [FORGET_SHEET];
  group.append(button, status);
  root.append(group);
};
