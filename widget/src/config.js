/** Reads the configuration: the options of the script element and the signals of the browser. */

// `currentScript` is null in a module: there the stack has the address of this script, in WebKit without the query. Only
// the element with that address counts, since the script of another product may have a `data-site`, too.
const SCRIPT =
  document.currentScript ||
  [...document.scripts].find(({src}) => src && Error().stack.includes(src.split('?')[0]));

const address = new URL(SCRIPT?.src || 'x:');

/**
 * The options by name (kebab-case): `data-*` attributes of the script element, else parameters of its address, which
 * optimisers and tag managers leave alone. A live view: a page may change an attribute later.
 * @type {Object<string, ?string>}
 */
export const config = new Proxy({}, {
  get: (_, name) => SCRIPT?.getAttribute('data-' + name) ?? address.searchParams.get(name),
});

// Logged by the `catch` around the whole script. A copy that an optimiser put into the page, or under an address like
// `blob:…`, cannot know where it came from.
if (!(config.site && address.host))
  throw 'counts nothing without data-site="KEY" or ?site=KEY in its address';

/** URL of the script's folder. Parts and data files are loaded from it, so a path prefix needs no setting. */
export const SCRIPT_FOLDER = new URL('.', address).href;

/** Base URL of the server's API, with a slash at its end. */
export const ENDPOINT = new URL((config.endpoint || SCRIPT_FOLDER).replace(/\/*$/, '/'), location).href;

/**
 * True under Global Privacy Control or Do Not Track: the visit is counted, but nothing is stored and no URL is tagged.
 */
export const OPTED_OUT = !!navigator.globalPrivacyControl || navigator.doNotTrack == 1;
