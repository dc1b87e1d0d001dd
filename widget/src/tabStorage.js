import {config, OPTED_OUT} from './config.js';
import {mayCollect} from './consentState.js';

/** The key in `sessionStorage` and `localStorage`, and the name of the channel between tabs. */
export const STORAGE_KEY = 'grapevine:' + config.site;

/** Whether the settings of the page and of the browser allow storage. */
export const MAY_STORE = config.storage != 'none' && !OPTED_OUT;

// Without permission, or where the browser throws (blocked cookies, sandbox), an object of this page replaces it.
let storage = {};
try {
  if (MAY_STORE) storage = sessionStorage || storage;
  mayCollect.mark = localStorage.grapevine;
} catch {}

const emptyTab = () => ({
  foreignTokens: '',
  outbox: {},
  ownTokens: '',
  landing: null,
  tokens: {},
  visit: null,
  session: null,
});

/**
 * The state of this tab. `sessionStorage` keeps it over reloads, restores and duplication of the tab.
 * @typedef {object} Tab
 * @property {string} ownTokens all tokens that the server has issued to this tab, joined; they outlive the visit
 * @property {string} foreignTokens tokens of other readers that this tab arrived with, joined; they outlive the visit
 * @property {Object<string, string>} outbox reports that were not delivered yet: body → path
 * @property {number} at time of the last activity, in milliseconds
 * @property {?object} landing the report of the current visit; sent again, it gets tokens for more channels
 * @property {Object<string, string>} tokens channel → token of its next share
 * @property {?string} visit id of the visit
 * @property {?string} session the server's key for further reports of the visit
 * @property {object} [returned] the server's verdict on the token that the visit arrived with
 * @property {string} [joint] what the server wants between name and token in fragments: `-`, or `=`
 * @property {string} [server] the reader's Mastodon server
 */

/** @type {Tab} */
export const tab = emptyTab();

/**
 * Reads the state from storage: an earlier page of this tab may have written it. Goals that this page reached before it
 * was tracked stay in the outbox.
 * @param {Object<string, string>} outbox of this page
 */
export const loadTab = (outbox) => {
  try {
    Object.assign(tab, JSON.parse(storage[STORAGE_KEY]));
    Object.assign(tab.outbox, outbox);
  } catch {}
};

/**
 * Writes the state to storage. Without consent nothing is written.
 * @param {number} [time] of the last activity; retries pass the old one, because they are none
 */
export const saveTab = (time = Date.now()) => {
  tab.at = time;
  try {
    if (mayCollect()) storage[STORAGE_KEY] = JSON.stringify(tab);
  } catch {}
};

/** Deletes the state, in memory and in storage. */
export const clearTab = () => {
  Object.assign(tab, emptyTab());
  delete storage[STORAGE_KEY];
};
