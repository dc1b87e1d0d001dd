import {config} from '../config.js';
import {guard} from '../guard.js';
import {changeListeners} from '../onChange.js';
import {MAY_STORE, tab} from '../tabStorage.js';
import {pageUrl, tag} from '../url.js';
import {requestTokens} from '../requestTokens.js';

/**
 * Entry of the part for `data-address-bar="on"`: keeps the reader's own token in the address bar. Without storage it
 * does nothing, because a reload would count the reader's own token as a return. The address keeps the parameters that
 * only track: other scripts of the page read them there.
 */
export const start = () => {
  if (config['address-bar'] != 'on' || !MAY_STORE) return;
  const update = guard(() => {
    const {address} = tab.tokens;
    const url = address ? tag(location.href, address, pageUrl()) : pageUrl();
    if (url != location.href) history.replaceState(history.state, '', url);
  });
  changeListeners.add(update);
  update();
  return requestTokens(['native', 'copy', 'address']);
};
