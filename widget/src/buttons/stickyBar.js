import {watchers} from '../onChange.js';
import {data} from '../config.js';
import {guard} from '../guard.js';
import {ELEMENT} from '../lazyParts.js';
import {make} from '../dom.js';

/** The bar that stays in view. At the bottom it gives way to reading. */
export const stickyBar = () => {
  const bar = make(ELEMENT + '-buttons');
  const place = guard(() => bar.isConnected || (document.body || document.documentElement).append(bar));
  let before = 0;
  bar.setAttribute('position', data.position || 'left');
  place();
  watchers.add(place);
  addEventListener('scroll', () => {
    bar.toggleAttribute('away', scrollY > before && scrollY > 99);
    before = scrollY;
  }, {passive: true});
};
