import {LANGUAGES} from 'grapevine:languages';
import {data} from '../config.js';
import {dataFile} from './fetchJson.js';
import {make} from '../dom.js';

const WORDS = {lang: 'en', dir: 'ltr', bar: 'Share this page', copy: 'Copy link', copied: 'Link copied', native: 'Share…', paste: 'paste it in $'};

/** The language that is wanted, two letters: the attribute's, else the page's, else the reader's. */
const LANGUAGE = (
  [data.lang, document.documentElement.lang, navigator.language].find((tag) => tag && tag != 'auto') || ''
)
  .slice(0, 2)
  .replace(/n[no]/, 'nb'); // pages in Norwegian name it in three ways

/** Fetches the words of a language that is not English. */
export const speak = async () => {
  if (LANGUAGES.includes(LANGUAGE)) Object.assign(WORDS, await dataFile(LANGUAGE).catch(() => {}));
};

/** What is written on the screen for a key; `otherwise` where there is no word in the reader's language. */
export const word = (key, otherwise) => (WORDS[key] || otherwise);

/** A new element that holds words: it says which language they are in, and runs as they run, whatever the page does. */
export const spoken = (name, properties) => make(name, {lang: word('lang'), dir: word('dir'), ...properties});
