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
 * `landing` is the visit's report.
 */
export const tab = nothing();

function nothing() {
  return {own: [], used: [], tokens: {}, nonce: 0, visit: null, session: null};
}

/** Reads the memory: another page of this tab may have written it. */
export function recall() {
  try {
    if (REMEMBERS) Object.assign(tab, JSON.parse(sessionStorage[KEY]));
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
  Object.assign(tab, nothing());
  try {
    delete sessionStorage[KEY];
    delete localStorage[KEY];
  } catch {}
}

/** With `data-storage="local"`: the tokens shared from this browser in the last 30 days, and from now on `token`. */
export function shared(token) {
  let kept = [];
  try {
    if (REMEMBERS && data.storage == 'local') {
      const now = Date.now();
      kept = JSON.parse(localStorage[KEY] || '[]').filter(([, at]) => now - at < MONTH);
      if (token) localStorage[KEY] = JSON.stringify([...kept, [token, now]]);
    }
  } catch {}
  return kept.map(([token]) => token);
}
