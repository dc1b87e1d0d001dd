import {consent} from './consent.js';
import {guard} from './guard.js';
import {shareUrl} from './share.js';
import {callPart} from './lazyParts.js';
import {convert} from './goals.js';
import {tab} from './tabStorage.js';
import {VERSION} from 'grapevine:version';

/**
 * `grapevine.on()`: calls `run` with the detail of each such event; for `ready` at once if the visit is known already.
 */
const on = (name, run) => {
  document.addEventListener('grapevine:' + name, ({detail}) => run(detail));
  if (tab.visit && name == 'ready') run({visit: tab.visit});
};

/** Creates `window.grapevine`. Its queue `q` holds calls as arrays such as `['on', 'share', run]`. */
export const exposeApi = () => {
  const queue = window.grapevine?.q || [];
  const api = (window.grapevine = {
    consent: guard(consent),
    forget: async () => !!(await callPart('forget')),
    share: (channel) => callPart('buttons', null, channel),
    on: guard(on),
    convert: guard(convert),
    url: guard(shareUrl),
    get visit() {
      return tab.visit;
    },
    version: VERSION,
    q: queue,
  });
  queue.push = guard((...entries) => entries.forEach(([name, ...args]) => api[name]?.(...args)));
};
