import {config} from './config.js';

let consentGiven = config.consent != 'required';

/** Returns whether the widget may send and store: consent is given, and the page is not just being prerendered. */
export const mayCollect = () => (consentGiven && !document.prerendering);

/** Sets the consent. Returns whether that changed it. */
export const setConsent = (given) => (consentGiven != (consentGiven = !!given));
