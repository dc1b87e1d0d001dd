// Modules stand in the script in this order, which compresses best.
import {watchRoutes} from './routes.js';
import {data} from './config.js';
import {onCopy, readText} from './copy.js';
import {listen} from './otherTabs.js';
import {arrive, route, takeArrival} from './visit.js';
import {openApi} from './api.js';
import {guard} from './guard.js';
import {leave} from './outbox.js';
import {startParts} from './lazyParts.js';

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
