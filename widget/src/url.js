import {config} from './config.js';

const PARAMETER = config.param || 'gv';
const TOKEN_PATTERN = new RegExp(`([?#&])${PARAMETER}=([0-9A-Za-z]{23})(&|(?=#)|$)`);

/**
 * Takes the token out of a URL and leaves every other byte as it was.
 * @param {string} url
 * @returns {[string, string | undefined]} the URL without a token, and the token
 */
export const untag = (url) => {
  const [, left, token, right] = TOKEN_PATTERN.exec(url) || [];
  return token ? [untag(url.replace(TOKEN_PATTERN, right && left))[0], token] : [url];
};

/** Puts a token into a URL, in place of one that is there: in the fragment if that is free, else in the query. */
export const tag = (url, token) => {
  const [base, fragment = ''] = untag(url)[0].split(/#(.*)/);
  const pair = PARAMETER + '=' + token;
  return (fragment ? config.place == 'fragment' : config.place != 'query')
    ? base + '#' + (fragment && fragment + '&') + pair
    : base + (base.includes('?') ? '&' : '?') + pair + (fragment && '#' + fragment);
};

/** Whether a string is an absolute URL of this site: same origin, no user name. */
export const isOwnUrl = (url) => {
  try {
    const {origin, username, password} = new URL(url);
    return origin == location.origin && !(username + password);
  } catch {}
};

/** The address of the page as it is now; single-page apps change it. */
export const pageUrl = () => (untag(location.href)[0]);

/** What makes two addresses the same page: a plain fragment does not count, a hash route does. */
export const pageKey = () => pageUrl().replace(/#(?![/!]).*/, '');
