import {openApi} from './api.js';
import {defineButtons} from './buttons.js';
import {data} from './config.js';
import {onCopy} from './copy.js';
import {guard} from './guard.js';
import {watchRoutes} from './routes.js';
import {listen} from './siblings.js';
import {stickyBar} from './sticky.js';
import {arrive, route, takeArrival} from './visit.js';

function land() {
  return arrive(document.referrer);
}

function watchPage() {
  document.addEventListener('prerenderingchange', land);
  watchRoutes(guard(route));
  if (data.copy != 'off') addEventListener('copy', guard(onCopy));
}

if (!window.grapevine?.version) {
  for (const step of [takeArrival, listen, defineButtons, stickyBar, land, openApi, watchPage]) guard(step)();
}
