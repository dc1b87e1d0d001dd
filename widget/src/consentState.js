import {data} from './config.js';

let given = data.consent != 'required';

/** Whether anything may be sent or stored: consent is given, and the page is not merely being prerendered. */
export const allowed = () => (given && !document.prerendering);

/** Sets consent; says whether that changed it. */
export const allow = (consent) => (given != (given = !!consent));
