import {config} from '../config.js';
import {createElement} from '../dom.js';
import {guard} from '../guard.js';
import {ELEMENT_PREFIX} from '../lazyParts.js';
import {changeListeners} from '../onChange.js';

/**
 * Adds the bar that stays in view. It is one element for the whole life of the script: `removed` puts it back when the
 * page throws it away, and marks it, so that its copies are recognised (part.js). At the bottom it hides while the reader
 * scrolls down (`away`), and comes back when the scrolling pauses or the page ends.
 */
export const showStickyBar = () => {
  let attachedAt, pause, lastScrollY = 0;
  const attach = guard(() => {
    // A router that morphs the page has made the bar into an element of the page: that gets one of its own.
    if (!bar.hasAttribute('position')) bar.replaceWith(bar.cloneNode());
    bar.setAttribute('position', config.position || 'left');
    if (bar.isConnected) return;
    attachedAt = Date.now();
    // Both are null between `document.open()` and the first `document.write()`.
    (document.body || document.documentElement)?.append(bar);
    // Again after `document.open()`, which removes all listeners. The same listener is never added twice.
    addEventListener('scroll', onScroll, {passive: true});
    if (!bar.isConnected) bar.removed();
  });
  const setAway = (away) => bar.toggleAttribute('away', away);
  const onScroll = () => {
    setAway(scrollY > lastScrollY && scrollY > 99 && scrollY < document.documentElement.scrollHeight - innerHeight - 9);
    lastScrollY = scrollY;
    clearTimeout(pause);
    pause = setTimeout(setAway, 1e3, false);
  };
  const bar = createElement(ELEMENT_PREFIX + '-buttons', {
    removed() {
      // A microtask later: before the browser draws the next frame, but not while the page is removing all children of
      // the body. A page that removes the bar as soon as it is there gets it back three times a second at most.
      (Date.now() - attachedAt > 20 ? queueMicrotask : setTimeout)(attach, 300);
    },
  });
  attach();
  changeListeners.add(attach);
};
