import {LANGUAGES} from 'grapevine:languages';
import {data} from '../config.js';
import {dataFile} from './data.js';

const WORDS = {bar: 'Share this page', copy: 'Copy link', copied: 'Link copied', native: 'Share…', paste: 'paste it in $'};

/** The language of the words, two letters: the attribute's, else the page's, else the reader's. */
export const LANGUAGE = (
  [data.lang, document.documentElement.lang, navigator.language].find((tag) => tag && tag != 'auto') || ''
).slice(0, 2);

/** Fetches the words of a language that is not English. */
export const speak = async () => {
  if (LANGUAGES.includes(LANGUAGE)) Object.assign(WORDS, await dataFile(LANGUAGE).catch(() => {}));
};

/** What is written on the screen for a key; `otherwise` where there is no word in the reader's language. */
export const word = (key, otherwise) => (WORDS[key] || otherwise);
