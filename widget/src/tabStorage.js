import {config, OPTED_OUT} from './config.js';
import {mayCollect} from './consentState.js';

/** What the widget calls its memory. */
export const STORAGE_KEY = 'grapevine:' + config.site;

/** Whether this tab may remember anything. */
export const MAY_STORE = config.storage != 'none' && !OPTED_OUT;

// Where nothing may be remembered, or the browser refuses, an object that ends with the page has to do.
let storage = {};
try {
  if (MAY_STORE) storage = sessionStorage || storage;
} catch {}

const emptyTab = () => ({own: '', used: '', outbox: {}, at: 0, landing: null, tokens: {}, visit: null, session: null});

/**
 * The memory of this tab. It survives reloads, restores and duplication, and ends with the tab.
 * @type {{own: string, used: string, tokens: Object<string, string>, at?: number, landing?: object,
 *         visit?: string, session?: string, returned?: object}}
 * `own` holds all tokens this tab was given, `used` the foreign ones it arrived with; both outlive the visit.
 * `landing` is the visit's report; what the server answered to it stands beside it.
 */
export const tab = emptyTab();

/** Reads the memory: another page of this tab may have written it. */
export const loadTab = () => {
  try {
    Object.assign(tab, JSON.parse(storage[STORAGE_KEY]));
  } catch {}
};

/** Writes the memory, and with it the time of the visit's last activity; a token that was shared, for longer. */
export const saveTab = (time = Date.now()) => {
  tab.at = time;
  try {
    if (mayCollect()) storage[STORAGE_KEY] = JSON.stringify(tab);
  } catch {}
};

/** Forgets all of it. */
export const clearTab = () => {
  Object.assign(tab, emptyTab());
  delete storage[STORAGE_KEY];
};
