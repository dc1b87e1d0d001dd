import {config} from './config.js';

let consentGiven = config.consent != 'required' || null;

/**
 * Returns whether the widget may send and store: consent is given, and the page is not just being prerendered.
 * @returns {?boolean} null while consent is awaited
 */
export const mayCollect = () => (consentGiven && !document.prerendering);

/** Sets the consent. Returns whether that changed it. */
export const setConsent = (given) => (consentGiven != (consentGiven = !!given));
