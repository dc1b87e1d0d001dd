import {config} from './config.js';
import {callPart} from './lazyParts.js';
import {MAY_STORE, STORAGE_KEY, tab} from './tabStorage.js';

/** Milliseconds that other tabs have to respond. They delay the report of every visit that has a token. */
const RESPONSE_TIMEOUT = 150;

let channel;
/** Promise of the function that recognises tokens of the last 30 days. */
let longMemory;

/**
 * Opens the channel between this site's tabs. A tab that arrives with a token posts it; a tab that owns the token
 * responds with `+` in front of it.
 */
export const respondToOtherTabs = () => {
  if (!MAY_STORE) return;
  if (config.storage == 'local') longMemory = callPart('longMemory');
  channel = new BroadcastChannel(STORAGE_KEY);
  channel.onmessage = (event) => tab.ownTokens.includes(event.data) && channel.postMessage('+' + event.data);
};

/**
 * Resolves to whether this browser shared the token itself: its long memory or another open tab of the site knows it.
 */
export const isOwnToken = async (token) => {
  return (await longMemory)?.(token) || channel && new Promise((resolve) => {
    channel.addEventListener('message', (event) => event.data == '+' + token && resolve(true));
    setTimeout(resolve, RESPONSE_TIMEOUT);
    channel.postMessage(token);
  });
};
