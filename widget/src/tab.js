import {data, OPTED_OUT} from './config.js';

/** What the widget calls its memory. */
export const KEY = 'grapevine:' + data.site;
const MONTH = 2592e6;

/** Whether this tab may remember anything. */
export const REMEMBERS = data.storage != 'none' && !OPTED_OUT;

// Where nothing may be remembered, or the browser refuses, an object that ends with the page has to do.
let session = {};
let local = {};
try {
  if (REMEMBERS) {
    session = sessionStorage;
    if (data.storage == 'local') local = localStorage;
  }
} catch {}

const nothing = () => ({own: [], used: [], tokens: {}, landing: null, visit: null, session: null});

/**
 * The memory of this tab. It survives reloads, restores and duplication, and ends with the tab.
 * @type {{own: string[], used: string[], tokens: Object<string, string>, at?: number, landing?: object,
 *         visit?: string, session?: string, returned?: object}}
 * `own` are all tokens this tab was given, `used` the foreign ones it arrived with; both outlive the visit.
 * `landing` is the visit's report; what the server answered to it stands beside it.
 */
export const tab = nothing();

/** Reads the memory: another page of this tab may have written it. */
export const recall = () => {
  Object.assign(tab, JSON.parse(session[KEY] || null));
};

/** Writes the memory, and with it the time of the visit's last activity; a token that was shared, for longer. */
export const keep = (token) => {
  tab.at = Date.now();
  try {
    session[KEY] = JSON.stringify(tab);
    if (token) local[KEY] = JSON.stringify([...shared(), [token, tab.at]]);
  } catch {}
};

/** With `data-storage="local"`: the tokens shared from this browser in the last 30 days, and when. */
export const shared = () => (JSON.parse(local[KEY] || '[]').filter(([, at]) => Date.now() - at < MONTH));

/** Forgets all of it. */
export const forget = () => {
  Object.assign(tab, nothing());
  delete session[KEY];
  delete local[KEY];
};
