import {VERSION} from 'grapevine:version';
import {consent} from './consent.js';
import {guard} from './guard.js';
import {callPart} from './lazyParts.js';
import {post} from './outbox.js';
import {shareUrl} from './share.js';
import {tab} from './tabStorage.js';

/**
 * `grapevine.on()`: calls `run` with the detail of each such event; for `ready` at once if the visit is known already.
 */
const on = (name, run) => {
  document.addEventListener('grapevine:' + name, ({detail}) => run(detail));
  if (name == 'ready' && tab.visit) run({visit: tab.visit});
};

/**
 * `grapevine.convert()`: reports a goal as soon as the visit is known. Numbers are rounded to six places, so that 0.1 +
 * 0.2 is sent as 0.300000.
 */
const convert = (goal, {value, ...more} = {}) => {
  const send = () => post('conversions', {session: tab.session, goal, ...more, value: value?.toFixed?.(6) ?? value});
  if (tab.session) send();
  else document.addEventListener('grapevine:ready', send, {once: true});
};

/** Creates `window.grapevine` and makes the queued calls: `q` holds arrays such as `['on', 'share', run]`. */
export const exposeApi = () => {
  const queue = window.grapevine?.q || [];
  const api = {
    consent,
    forget: async () => !!(await callPart('forget')),
    share: (channel) => callPart('buttons', null, channel),
    on,
    convert,
    url: shareUrl,
  };
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
