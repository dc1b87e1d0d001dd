import {config} from './config.js';
import {callPart} from './lazyParts.js';
import {MAY_STORE, STORAGE_KEY, tab} from './tabStorage.js';

/**
 * Opens the channel between this site's tabs. A tab that arrives with a token posts it (ownTokens/part.js); a tab that
 * owns the token responds with `+` in front of it.
 */
export const respondToOtherTabs = () => {
  if (!MAY_STORE) return;
  if (config.storage == 'local') callPart('ownTokens');
  const channel = new BroadcastChannel(STORAGE_KEY);
  channel.onmessage = ({data}) => tab.ownTokens.includes(data) && channel.postMessage('+' + data);
};
