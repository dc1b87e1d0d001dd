import {callPart} from './lazyParts.js';
import {tab} from './tabStorage.js';
import {config} from './config.js';

const PARAMETER = config.param || 'gv';
// A token and what hangs on it, up to the next parameter: punctuation of the sentence around the link, percent-encoding,
// a query that was added without a look at the URL. Only a letter or digit makes it another word. Before it may stand the
// rest of an "&" that was escaped for HTML once too often: "&amp;", "&#038;".
const TOKEN_PATTERN = new RegExp(`([?#&])(?:#?\\w+;)?${PARAMETER}(?:[=-]|%[23][Dd])(ignore|count|[^\\W_]{23})(?![^\\W_])[^&#]*(&?)`);

/**
 * Removes the token from a URL and keeps every other byte. The URL API would re-encode some, so this works on the text.
 * @param {string} url
 * @returns {[string, string?]} the URL without a token, and the token if there was one
 */
export const untag = (url = location.href) => {
  const [, left, token, right] = TOKEN_PATTERN.exec(url) || [];
  return token ? [untag(url.replace(TOKEN_PATTERN, right && left))[0], token] : [url];
};

/**
 * Returns a URL as it is shared: without a token and without parameters that only track. The clean part, which is loaded
 * for the first URL with parameters, sets `cleanUrl.clean`.
 */
export const cleanUrl = (url) => {
  [url] = untag(url);
  if (/=/.test(url)) callPart('clean');
  return cleanUrl.clean ? cleanUrl.clean(url) : url;
};

/**
 * Adds a token to a URL, or replaces the one it has: in the fragment if the URL has none, else in the query;
 * `data-place` can force either. The fragment is preferred: it reaches no cache, log or duplicate-content check. There
 * the token is part of an identifier, since many pages look their fragment up as a selector; not before the server says
 * that no page of the site has an older build any more, which would not find it.
 * @param {string} url
 * @param {string} token
 * @param {string} [shared] the URL to which the token is added; else it is cleaned first
 */
export const tag = (url, token, shared = cleanUrl(url)) => {
  const [base, fragment = ''] = shared.split(/#(.*)/);
  return (fragment ? config.place == 'fragment' : config.place != 'query')
    ? base + '#' + (fragment && fragment + '&') + PARAMETER + (tab.joint || '=') + token
    : base + (/\?/.test(base) ? '&' : '?') + PARAMETER + '=' + token + (fragment && '#' + fragment);
};

/** Returns whether a string is an absolute URL of this site: same origin, no user name or password. */
export const isOwnUrl = (url) => {
  try {
    return new URL(url).href.startsWith(location.origin + '/');
  } catch {}
};

/** Returns the current URL of the page without a token. */
export const pageUrl = () => (untag()[0]);

