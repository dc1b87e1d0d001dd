import {config} from '../config.js';
import {createElement} from '../dom.js';
import {guard} from '../guard.js';
import {ELEMENT_PREFIX} from '../lazyParts.js';
import {changeListeners} from '../onChange.js';

/** Adds the bar that stays in view. At the bottom it hides while the reader scrolls down (`away`). */
export const showStickyBar = () => {
  const bar = createElement(ELEMENT_PREFIX + '-buttons');
  const attach = guard(() => bar.isConnected || (document.body || document.documentElement).append(bar));
  let lastScrollY = 0;
  // Single-page apps replace the body, so every change puts the bar back.
  bar.setAttribute('position', config.position || 'left');
  attach();
  changeListeners.add(attach);
  addEventListener('scroll', () => {
    bar.toggleAttribute('away', scrollY > lastScrollY && scrollY > 99);
    lastScrollY = scrollY;
  }, {passive: true});
};
