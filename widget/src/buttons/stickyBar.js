import {config} from '../config.js';
import {createElement} from '../dom.js';
import {guard} from '../guard.js';
import {ELEMENT_PREFIX} from '../lazyParts.js';
import {changeListeners} from '../onChange.js';

/** The bar that stays in view. At the bottom it gives way to reading. */
export const showStickyBar = () => {
  const bar = createElement(ELEMENT_PREFIX + '-buttons');
  const attach = guard(() => bar.isConnected || (document.body || document.documentElement).append(bar));
  let lastScrollY = 0;
  bar.setAttribute('position', config.position || 'left');
  attach();
  changeListeners.add(attach);
  addEventListener('scroll', () => {
    bar.toggleAttribute('away', scrollY > lastScrollY && scrollY > 99);
    lastScrollY = scrollY;
  }, {passive: true});
};
