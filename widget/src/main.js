// Not sorted by name: the linker puts modules into the script in the order of these imports, and of the orders that
// were tried this one compresses best, with those of api.js, copy.js, outbox.js and visit.js. Another order may cost
// ten bytes; `python build.py` prints the size.
import {respondToOtherTabs} from './otherTabs.js';
import {exposeApi} from './api.js';
import {flushOutbox} from './outbox.js';
import {takeTokenFromUrl, trackPage} from './visit.js';
import {cleanUrl} from './url.js';
import {guard} from './guard.js';
import {config} from './config.js';
import {startParts} from './lazyParts.js';
import {onCopy, prepareTextCopy} from './copy.js';
import {watchRoutes} from './routes.js';

const watchPage = () => {
  document.addEventListener('prerenderingchange', guard(() => trackPage()));
  addEventListener('visibilitychange', guard(flushOutbox));
  addEventListener('pageshow', guard((event) => event.persisted && trackPage()));
  watchRoutes();
  if (config.copy != 'off') {
    addEventListener('copy', guard(onCopy));
    document.addEventListener('selectionchange', guard(prepareTextCopy));
  }
  // The queued calls, when the page is tracked: `ready` was dispatched if the visit is known, and goals belong to it.
  window.grapevine.q.push(...window.grapevine.q);
};

if (!window.grapevine?.version) {
  [takeTokenFromUrl, cleanUrl, respondToOtherTabs, startParts, exposeApi, trackPage, watchPage].forEach((step) => guard(step)());
}
