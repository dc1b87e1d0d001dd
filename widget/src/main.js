import {openApi} from './api.js';
import {data} from './config.js';
import {onCopy, readText} from './copy.js';
import {guard} from './guard.js';
import {startParts} from './parts.js';
import {watchRoutes} from './routes.js';
import {listen} from './siblings.js';
import {arrive, route, takeArrival} from './visit.js';

const watchPage = () => {
  document.addEventListener('prerenderingchange', guard(() => arrive()));
  watchRoutes(guard(route));
  if (data.copy != 'off') {
    addEventListener('copy', guard(onCopy));
    document.addEventListener('selectionchange', guard(readText), {once: true});
  }
};

if (!window.grapevine?.version) {
  for (const step of [takeArrival, listen, startParts, arrive, openApi, watchPage]) guard(step)();
}
