import {config} from '../config.js';
import {guard} from '../guard.js';
import {MAY_STORE, STORAGE_KEY, tab} from '../tabStorage.js';

/** Thirty days in milliseconds. */
const MAX_AGE = 2592e6;
/** Milliseconds that other tabs have to respond. They delay the report of every visit that has a token. */
const RESPONSE_TIMEOUT = 150;

const isMemoryLong = config.storage == 'local';

/** Reads the tokens that this browser has shared in the last 30 days: pairs of token and time. */
const sharedTokens = () => {
  try {
    return JSON.parse(localStorage[STORAGE_KEY]).filter(([, at]) => Date.now() - at < MAX_AGE);
  } catch {
    return [];
  }
};

if (isMemoryLong) {
  document.addEventListener('grapevine:share', guard(({detail}) => {
    const token = tab.tokens[detail.channel];
    if (token) localStorage[STORAGE_KEY] = JSON.stringify([...sharedTokens(), [token, Date.now()]]);
  }));
}

/**
 * Entry of the part that knows the tokens of this browser. With `data-storage="local"` it remembers in `localStorage` which
 * tokens are shared, from the moment when it is loaded.
 * @param {string} [token] that a visit arrived with
 * @returns {Promise<boolean | undefined>} whether this browser shared the token itself: its long memory or another open tab
 *     of the site knows it
 */
export const start = async (token) =>
  token && MAY_STORE && ((isMemoryLong && sharedTokens().some(([own]) => own == token)) || isKnownToOtherTabs(token));

/** Posts the token to the site's other tabs. One that owns it responds with `+` in front of it (otherTabs.js). */
const isKnownToOtherTabs = (token) =>
  new Promise(guard((resolve) => {
    let channel;
    const finish = (isKnown) => {
      resolve(isKnown);
      channel?.close();
    };
    setTimeout(finish, RESPONSE_TIMEOUT);
    channel = new BroadcastChannel(STORAGE_KEY);
    channel.onmessage = ({data}) => data == '+' + token && finish(true);
    channel.postMessage(token);
  }));
