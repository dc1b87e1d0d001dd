import {createIcon} from '../buttons/buttons.js';
import {createLocalized, translate} from '../buttons/i18n.js';
import {createElement} from '../dom.js';
import {guard} from '../guard.js';
import {createStyleSheet} from '../styleSheet.js';

const MORE_SHEET = createStyleSheet(
  '[part=button] span{display:none}' +
    '.menu [part=button] span{display:block}' +
    // Closed, it keeps its place: the notice of a button in it is put next to the button.
    '.menu:not(.open){visibility:hidden}' +
    ':host([position]) .menu{position:absolute;z-index:1;flex-direction:column;width:max-content;max-height:min(30rem,100vh - 100px);' +
    'inset:auto auto calc(100% + 8px);inset-inline-end:0;overscroll-behavior:contain}' +
    '.menu a,.menu button{box-sizing:border-box;width:auto;min-height:44px;display:flex;align-items:center;justify-content:start;gap:12px;' +
    'padding:0 16px 0 12px;opacity:1;transition:none;font:500 15px/1.3 system-ui;color:var(--grapevine-color,inherit)}' +
    '.menu :is(a,button):hover{color:#fff}' +
    '.menu svg{flex:none}' +
    '[part=more]{align-self:center}' +
    ':host([position]) .menu .follow{flex-flow:row wrap!important;padding-inline-start:4px!important;max-width:15rem;max-height:none;overflow:visible;flex:none}' +
    '.menu .follow a{width:var(--grapevine-size,44px);padding:0;justify-content:center}' +
    '.menu .follow>span{max-width:none;font-size:13px;padding:0 8px}' +
    '.menu b{position:static;order:1;margin-inline-start:auto;font-size:12px}' +
    // As long as before, and its first buttons where they were, so that nothing moves when the menu comes.
    '[full]{width:100vw}[full]>[part=more]{margin-inline-start:auto}' +
    '@media(min-width:1000px){' +
    ':host([position$=t]) [full]{width:auto;height:100vh}:host([position$=t]) [full]>[part=more]{margin:auto 0 0}' +
    ':host([position$=t]) .menu{inset:auto auto 0 calc(100% + 8px);max-height:100%}' +
    ':host([position=right]) .menu{inset:auto calc(100% + 8px) 0 auto}' +
    '}',
);
const DOTS = 'M25 50a10 10 0 1 0 0 20 10 10 0 1 0 0-20zm35 0a10 10 0 1 0 0 20 10 10 0 1 0 0-20zm35 0a10 10 0 1 0 0 20 10 10 0 1 0 0-20z';

/** Layout functions by bar. */
const layouts = new WeakMap();

/**
 * Entry of the part for bars that are longer than the window: a button at the end of the bar opens a menu of what does
 * not fit. It follows the pattern "disclosure": the button says whether the menu is open, Tab goes from the button into
 * it, Escape closes it.
 * @param {ShadowRoot} root
 * @param {HTMLElement} bar
 */
export const start = (root, bar) => {
  if (!layouts.has(bar)) layouts.set(bar, createMenu(root, bar));
  layouts.get(bar)();
};

const createMenu = (root, bar) => {
  const name = translate('more', 'More');
  const more = createElement('button', {part: 'more', title: name, ariaLabel: name});
  const menu = createLocalized('div', {id: 'menu', part: 'menu', className: 'menu', role: 'region', ariaLabel: name});
  const show = (open) => {
    menu.classList.toggle('open', open);
    more.ariaExpanded = open;
  };
  const close = () => {
    if (menu.contains(root.activeElement)) more.focus();
    show(false);
  };
  const overflows = () => bar.scrollWidth + bar.scrollHeight > bar.clientWidth + bar.clientHeight;

  const layout = guard(() => {
    const focused = root.activeElement;
    const follow = root.querySelector('[part=follow]');
    more.remove();
    bar.append(...menu.children);
    if (follow) bar.append(follow);
    if (overflows()) {
      if (follow) follow.before(more);
      else bar.append(more);
      // The last channel goes first; the links to follow go when three channels are left.
      while (overflows() && more.previousSibling) {
        if (more.nextSibling && bar.children.length < 6) {
          // With the room that these links leave, some channels fit again.
          more.before(...menu.children);
          menu.append(follow);
        } else menu.prepend(more.previousSibling);
      }
    } else show(false);
    bar.toggleAttribute('full', more.isConnected);
    focused?.focus();
  });

  more.append(createIcon(DOTS));
  more.setAttribute('aria-controls', 'menu');
  more.onclick = () => show(more.ariaExpanded != 'true');
  menu.onclick = close;
  root.addEventListener('keydown', (event) => {
    if (event.key != 'Escape' || more.ariaExpanded != 'true') return;
    event.stopPropagation();
    more.focus();
    show(false);
  });
  // Without `relatedTarget` the window lost the focus, or a pointer is on a button that takes none.
  root.addEventListener('focusout', ({relatedTarget}) => relatedTarget && relatedTarget != more && !menu.contains(relatedTarget) && show(false));
  addEventListener('pointerdown', (event) => event.composedPath().includes(root) || show(false));
  addEventListener('resize', layout);
  for (const button of bar.querySelectorAll('[part=button]')) {
    if (!button.querySelector('span')) button.append(createElement('span', {part: 'label', textContent: button.title}));
  }
  bar.style.overflow = 'hidden'; // no scroll bar takes room
  show(false);
  root.adoptedStyleSheets.push(MORE_SHEET);
  bar.after(menu);
  return layout;
};
