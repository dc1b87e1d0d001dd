import {config} from './config.js';

const PARAMETER = config.param || 'gv';
const TOKEN_PATTERN = new RegExp(`([?#&])${PARAMETER}=([0-9A-Za-z]{23})(&|(?=#)|$)`);

/**
 * Removes the token from a URL and keeps every other byte. The URL API would re-encode some, so this works on the text.
 * @param {string} url
 * @returns {[string, string?]} the URL without a token, and the token if there was one
 */
export const untag = (url) => {
  const [, left, token, right] = TOKEN_PATTERN.exec(url) || [];
  return token ? [untag(url.replace(TOKEN_PATTERN, right && left))[0], token] : [url];
};

/**
 * Adds a token to a URL, or replaces the one it has: in the fragment if the URL has none, else in the query;
 * `data-place` can force either. The fragment is preferred: it reaches no cache, log or duplicate-content check.
 */
export const tag = (url, token) => {
  const [base, fragment = ''] = untag(url)[0].split(/#(.*)/);
  const pair = PARAMETER + '=' + token;
  return (fragment ? config.place == 'fragment' : config.place != 'query')
    ? base + '#' + (fragment && fragment + '&') + pair
    : base + (base.includes('?') ? '&' : '?') + pair + (fragment && '#' + fragment);
};

/** Returns whether a string is an absolute URL of this site: same origin, no user name or password. */
export const isOwnUrl = (url) => {
  try {
    const {origin, username, password} = new URL(url);
    return origin == location.origin && !(username + password);
  } catch {}
};

/** Returns the current URL of the page without a token. */
export const pageUrl = () => (untag(location.href)[0]);

/** Returns the identity of the page: its URL without a plain fragment. A hash route (`#/…`, `#!…`) is part of it. */
export const pageKey = () => pageUrl().replace(/#(?![/!]).*/, '');
