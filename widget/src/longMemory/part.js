import {guard} from '../guard.js';
import {STORAGE_KEY, tab} from '../tabStorage.js';

/** Thirty days in milliseconds. */
const MAX_AGE = 2592e6;

/** Reads the tokens that this browser has shared in the last 30 days: pairs of token and time. */
const sharedTokens = () => {
  try {
    return JSON.parse(localStorage[STORAGE_KEY]).filter(([, at]) => Date.now() - at < MAX_AGE);
  } catch {
    return [];
  }
};

/**
 * Entry of the part for `data-storage="local"`: stores shared tokens in `localStorage`.
 * @returns {(token: string) => boolean} whether this browser has shared a token
 */
export const start = () => {
  document.addEventListener('grapevine:share', guard(({detail}) => {
    const token = tab.tokens[detail.channel];
    if (token) localStorage[STORAGE_KEY] = JSON.stringify([...sharedTokens(), [token, Date.now()]]);
  }));
  return (token) => sharedTokens().some(([own]) => own == token);
};
