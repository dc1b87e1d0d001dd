/** What the embedding script element says: CONTRACT.md, section 3. */

const SCRIPT = document.currentScript || document.querySelector('script[data-site]');

/** The `data-*` attributes as they stand in the page. @type {DOMStringMap} */
export const config = SCRIPT.dataset;

/** The folder that the script came from, so that a server behind a path prefix needs no attribute. */
export const SCRIPT_FOLDER = new URL('.', SCRIPT.src).href;

/** Where to report, with a slash at its end. */
export const ENDPOINT = new URL((config.endpoint || SCRIPT_FOLDER).replace(/\/*$/, '/'), location).href;

/** Global Privacy Control or Do Not Track: the visit is counted, nothing is remembered, nothing is tagged. */
export const OPTED_OUT = !!navigator.globalPrivacyControl || navigator.doNotTrack == 1;
