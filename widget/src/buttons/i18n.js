import {LANGUAGES} from 'grapevine:languages';
import {config} from '../config.js';
import {createElement} from '../dom.js';
import {fetchJson} from './fetchJson.js';

/** Texts by key; English until another language is loaded. */
const TRANSLATIONS = {
  lang: 'en',
  dir: 'ltr',
  bar: 'Share this page',
  copy: 'Copy link',
  copied: 'Link copied',
  native: 'Share…',
  paste: 'paste it in $',
};

/** The two letters of the language: `data-lang`, else the page's, else the browser's. */
const LANGUAGE = (
  [config.lang, document.documentElement.lang, navigator.language].find((tag) => tag && tag != 'auto') || ''
)
  .slice(0, 2)
  .replace(/n[no]/, 'nb'); // Norwegian has three codes: nb, nn, no

/** Loads the translations of the language. English, and a language without a file, needs none. */
export const loadTranslations = async () => {
  if (LANGUAGES.match(/../g).includes(LANGUAGE)) Object.assign(TRANSLATIONS, await fetchJson(LANGUAGE).catch(() => {}));
};

/** Returns the text for a key, or the fallback if the language has none. */
export const translate = (key, fallback) => (TRANSLATIONS[key] || fallback);

/**
 * Creates an element for translated text. It states its own language and direction, which may differ from the page's.
 */
export const createLocalized = (name, properties) =>
  createElement(name, {lang: translate('lang'), dir: translate('dir'), ...properties});
