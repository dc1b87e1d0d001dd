import {data, OPTED_OUT} from './config.js';

const KEY = 'grapevine:' + data.site;
const MONTH = 2592e6;

/** Whether this tab may remember anything. */
export const REMEMBERS = data.storage != 'none' && !OPTED_OUT;

/**
 * The memory of this tab. It survives reloads, restores and duplication, and ends with the tab.
 * @type {{own: string[], used: string[], tokens: Object<string, string>, at?: number, nonce?: string,
 *         visit?: string, session?: string, landing?: object}}
 * `own` are all tokens this tab was given, `used` the foreign ones it arrived with; both outlive the visit.
 * `landing` is the visit's report until the server has answered it.
 */
export const tab = {own: [], used: [], tokens: {}};

/** Reads the memory: another page of this tab may have written it. */
export function recall() {
  try {
    REMEMBERS && Object.assign(tab, JSON.parse(sessionStorage[KEY]));
  } catch {}
}

/** Writes the memory, and with it the time of the visit's last activity. */
export function keep() {
  tab.at = Date.now();
  try {
    if (REMEMBERS) sessionStorage[KEY] = JSON.stringify(tab);
  } catch {}
}

/** Forgets all of it. */
export function forget() {
  Object.assign(tab, {own: [], used: [], tokens: {}, nonce: null, visit: null, session: null, landing: null});
  try {
    delete sessionStorage[KEY];
    delete localStorage[KEY];
  } catch {}
}

/**
 * With `data-storage="local"`: the tokens shared from this browser in the last 30 days, `token` added if one is given.
 * @returns {Object<string, number>} token → when it was shared
 */
export function shared(token) {
  let all = {};
  try {
    if (REMEMBERS && data.storage == 'local') {
      const now = Date.now();
      const pairs = Object.entries(JSON.parse(localStorage[KEY] || '{}')).filter(([, at]) => now - at < MONTH);
      all = Object.fromEntries(pairs);
      if (token) {
        all[token] = now;
        localStorage[KEY] = JSON.stringify(all);
      }
    }
  } catch {}
  return all;
}
