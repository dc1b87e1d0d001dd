import {guard} from '../guard.js';
import {KEY, tab} from '../tabStorage.js';

const MONTH = 2592e6;

/** The tokens that were shared from this browser in the last 30 days, and when. */
const shared = () => {
  try {
    return JSON.parse(localStorage[KEY]).filter(([, at]) => Date.now() - at < MONTH);
  } catch {
    return [];
  }
};

/** Remembers shared tokens beyond the tab. @returns {(token: string) => boolean} whether one was shared from here */
export const start = () => {
  document.addEventListener('grapevine:share', guard(({detail}) => {
    const token = tab.tokens[detail.channel];
    if (token) localStorage[KEY] = JSON.stringify([...shared(), [token, Date.now()]]);
  }));
  return (token) => shared().some(([own]) => own == token);
};
