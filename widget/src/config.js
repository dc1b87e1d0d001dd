/** Reads the configuration: the attributes of the script element and the signals of the browser. */

// `currentScript` is null in a module script and in code that an optimiser evaluates.
const SCRIPT = document.currentScript || document.querySelector('script[data-site]');

/**
 * The `data-*` attributes of the script element. A live view: a page may change an attribute later.
 * @type {DOMStringMap}
 */
export const config = SCRIPT.dataset;

/** URL of the script's folder. Parts and data files are loaded from it, so a path prefix needs no setting. */
export const SCRIPT_FOLDER = new URL('.', SCRIPT.src).href;

/** Base URL of the server's API, with a slash at its end. */
export const ENDPOINT = new URL((config.endpoint || SCRIPT_FOLDER).replace(/\/*$/, '/'), location).href;

/**
 * True under Global Privacy Control or Do Not Track: the visit is counted, but nothing is stored and no URL is tagged.
 */
export const OPTED_OUT = !!navigator.globalPrivacyControl || navigator.doNotTrack == 1;
