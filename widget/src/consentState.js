import {config} from './config.js';

let consentGiven = config.consent != 'required';

/** Whether anything may be sent or stored: consent is given, and the page is not merely being prerendered. */
export const mayCollect = () => (consentGiven && !document.prerendering);

/** Sets consent; says whether that changed it. */
export const setConsent = (given) => (consentGiven != (consentGiven = !!given));
