import {LANGUAGES} from 'grapevine:languages';
import {config} from '../config.js';
import {createElement} from '../dom.js';
import {fetchJson} from './fetchJson.js';

const TRANSLATIONS = {lang: 'en', dir: 'ltr', bar: 'Share this page', copy: 'Copy link', copied: 'Link copied', native: 'Share…', paste: 'paste it in $'};

/** The language that is wanted, two letters: the attribute's, else the page's, else the reader's. */
const LANGUAGE = (
  [config.lang, document.documentElement.lang, navigator.language].find((tag) => tag && tag != 'auto') || ''
)
  .slice(0, 2)
  .replace(/n[no]/, 'nb'); // pages in Norwegian name it in three ways

/** Fetches the words of a language that is not English. */
export const loadTranslations = async () => {
  if (LANGUAGES.includes(LANGUAGE)) Object.assign(TRANSLATIONS, await fetchJson(LANGUAGE).catch(() => {}));
};

/** What is written on the screen for a key; `otherwise` where there is no word in the reader's language. */
export const translate = (key, fallback) => (TRANSLATIONS[key] || fallback);

/** A new element that holds words: it says which language they are in, and runs as they run, whatever the page does. */
export const createLocalized = (name, properties) => createElement(name, {lang: translate('lang'), dir: translate('dir'), ...properties});
