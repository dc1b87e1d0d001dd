import {setConsent} from './consentState.js';
import {notifyChange} from './onChange.js';
import {clearTab, STORAGE_KEY} from './tabStorage.js';
import {trackPage} from './visit.js';

/** Consent given: the waiting visit starts and the buttons come alive. Taken back: all is forgotten. */
export const consent = (given) => {
  if (setConsent(given) && given) return trackPage();
  if (given) return;
  clearTab();
  notifyChange();
  delete localStorage[STORAGE_KEY];
};
