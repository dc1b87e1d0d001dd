import {openApi} from './api.js';
import {defineButtons} from './buttons.js';
import {data} from './config.js';
import {onCopy} from './copy.js';
import {guard} from './guard.js';
import {watchRoutes} from './routes.js';
import {listen} from './siblings.js';
import {stickyBar} from './sticky.js';
import {arrive, route, takeArrival} from './visit.js';

const start = guard(() => {
  takeArrival();
  listen();
  const land = () => arrive(document.referrer);
  land();
  document.addEventListener('prerenderingchange', land);
  watchRoutes(guard(route));
  if (data.copy != 'off') addEventListener('copy', guard(onCopy));
  openApi();
  guard(defineButtons)();
  guard(stickyBar)();
});

if (!window.grapevine?.version) start();
