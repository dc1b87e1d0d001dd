import {watchers} from './changes.js';
import {data} from './config.js';
import {guard} from './guard.js';
import {make} from './make.js';

/** The bar that stays in view, for every `data-position` but `inline` and `none`. At the bottom it gives way to reading. */
export function stickyBar() {
  const position = data.position || 'left';
  if (/inline|none/.test(position)) return;
  const bar = make('grapevine-buttons');
  const place = guard(() => bar.isConnected || (document.body || document.documentElement).append(bar));
  let before = 0;
  bar.setAttribute('position', position);
  place();
  watchers.add(place);
  addEventListener('scroll', () => {
    bar.toggleAttribute('away', scrollY > before && scrollY > 99);
    before = scrollY;
  }, {passive: true});
}
