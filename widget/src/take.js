import {tab} from './tab.js';
import {untag} from './url.js';

/** Takes the token out of the address bar, so that a re-share never carries the sender's. Returns it. */
export const takeToken = () => {
  const [url, token] = untag(location.href);
  if (!token || token == tab.tokens.address) return;
  history.replaceState(history.state, '', url);
  return token;
};
