import {data} from './config.js';

let given = data.consent != 'required';

/** Whether anything may be sent or stored: consent is given, and the page is not merely being prerendered. */
export function allowed() {
  return given && !document.prerendering;
}

/** Sets consent; says whether that changed it. */
export function allow(consent) {
  return given != (given = !!consent);
}
