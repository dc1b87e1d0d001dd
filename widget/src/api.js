import {VERSION} from 'grapevine:version';
import {consent} from './consent.js';
import {guard} from './guard.js';
import {nonce, post} from './post.js';
import {share, urlFor} from './share.js';
import {tab} from './tab.js';

/** Calls `run` with the detail of each event of that name; with `ready` at once if the visit is known. */
function on(name, run) {
  document.addEventListener('grapevine:' + name, (event) => run(event.detail));
  if (name == 'ready' && tab.visit) run({visit: tab.visit});
}

/** Reports a goal reached in this visit, as soon as there is one. Sums such as 0.1 + 0.2 lose their binary noise. */
function convert(goal, {value, currency, id} = {}) {
  if (typeof value == 'number') value = +value.toFixed(6);
  const body = {goal, value: value?.toString(), currency, id, nonce: nonce()};
  const send = () => post('conversions', {session: tab.session, ...body});
  if (tab.session) send();
  else document.addEventListener('grapevine:ready', send, {once: true});
}

/** Opens `window.grapevine` and does what the page had queued: `q` holds entries such as `['on', 'share', run]`. */
export function openApi() {
  const queue = window.grapevine?.q || [];
  const api = {
    share: guard(share),
    url: guard(urlFor),
    convert: guard(convert),
    consent: guard(consent),
    on: guard(on),
    get visit() {
      return tab.visit;
    },
    version: VERSION,
    q: queue,
  };
  window.grapevine = api;
  queue.push = (...entries) => entries.forEach(([name, ...args]) => api[name]?.(...args));
  queue.push(...queue);
}
