import {guard} from '../guard.js';
import {STORAGE_KEY, tab} from '../tabStorage.js';

const MAX_AGE = 2592e6;

/** The tokens that were shared from this browser in the last 30 days, and when. */
const sharedTokens = () => {
  try {
    return JSON.parse(localStorage[STORAGE_KEY]).filter(([, at]) => Date.now() - at < MAX_AGE);
  } catch {
    return [];
  }
};

/** Remembers shared tokens beyond the tab. @returns {(token: string) => boolean} whether one was shared from here */
export const start = () => {
  document.addEventListener('grapevine:share', guard(({detail}) => {
    const token = tab.tokens[detail.channel];
    if (token) localStorage[STORAGE_KEY] = JSON.stringify([...sharedTokens(), [token, Date.now()]]);
  }));
  return (token) => sharedTokens().some(([own]) => own == token);
};
