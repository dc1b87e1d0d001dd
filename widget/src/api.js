import {VERSION} from 'grapevine:version';
import {consent} from './consent.js';
import {guard} from './guard.js';
import {callPart} from './lazyParts.js';
import {post} from './outbox.js';
import {shareUrl} from './share.js';
import {tab} from './tabStorage.js';

/** Calls `run` with the detail of each event of that name; with `ready` at once if the visit is known. */
const on = (name, run) => {
  document.addEventListener('grapevine:' + name, ({detail}) => run(detail));
  if (name == 'ready' && tab.visit) run({visit: tab.visit});
};

/** Reports a goal reached in this visit, as soon as there is one. Sums such as 0.1 + 0.2 lose their binary noise. */
const convert = (goal, {value, ...more} = {}) => {
  const send = () => post('conversions', {session: tab.session, goal, ...more, value: value?.toFixed?.(6) ?? value});
  if (tab.session) send();
  else document.addEventListener('grapevine:ready', send, {once: true});
};

/** Opens `window.grapevine` and does what the page had queued: `q` holds entries such as `['on', 'share', run]`. */
export const exposeApi = () => {
  const queue = window.grapevine?.q || [];
  const api = {share: (channel) => callPart('buttons', null, channel), url: shareUrl, convert, consent, on};
  for (const name in api) api[name] = guard(api[name]);
  window.grapevine = {
    ...api,
    get visit() {
      return tab.visit;
    },
    version: VERSION,
    q: queue,
  };
  queue.push = (...entries) => entries.forEach(([name, ...args]) => api[name]?.(...args));
  queue.push(...queue);
};
