import {config} from './config.js';

let consentGiven = config.consent != 'required' || null;

/**
 * Returns whether the widget may send and store: the visitor is to be counted, consent is given, and the page is not just
 * being prerendered. `mayCollect.mark` is `ignore` or `count` once this browser has opened a page with `#gv-ignore` or
 * `#gv-count` (docs/decisions/0060); `data-ignore` says the same of the page's visitor.
 * @returns {?boolean | 0} null while consent is awaited; 0 if the visitor is not to be counted
 */
export const mayCollect = () =>
  /^(on|true|1)?$/i.test(config.ignore) || mayCollect.mark == 'ignore' ? 0 : consentGiven && !document.prerendering;

/** Sets the consent. Returns whether that changed it. */
export const setConsent = (given) => (consentGiven != (consentGiven = !!given));
