// Not sorted by name: the linker puts modules into the script in the order of these imports, and of the orders that were
// tried this one compresses best. Another order may cost ten bytes of brotli; `python build.py` says.
import {leave} from './outbox.js';
import {listen} from './otherTabs.js';
import {watchRoutes} from './routes.js';
import {arrive, route, takeArrival} from './visit.js';
import {openApi} from './api.js';
import {startParts} from './lazyParts.js';
import {guard} from './guard.js';
import {data} from './config.js';
import {onCopy, readText} from './copy.js';

const watchPage = () => {
  document.addEventListener('prerenderingchange', guard(arrive));
  addEventListener('visibilitychange', guard(leave));
  watchRoutes(guard(route));
  if (data.copy != 'off') {
    addEventListener('copy', guard(onCopy));
    document.addEventListener('selectionchange', guard(readText));
  }
};

if (!window.grapevine?.version) {
  [takeArrival, listen, startParts, arrive, openApi, watchPage].forEach((step) => guard(step)());
}
