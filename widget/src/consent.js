import {setConsent} from './consentState.js';
import {notifyChange} from './onChange.js';
import {clearTab, STORAGE_KEY} from './tabStorage.js';
import {trackPage} from './visit.js';

/** `grapevine.consent()`: given, the waiting visit starts; withdrawn, everything stored is deleted. */
export const consent = (given) => {
  if (setConsent(given) && given) return trackPage();
  if (!given) {
    clearTab();
    notifyChange();
    // Last, because it throws where the browser refuses storage.
    delete localStorage[STORAGE_KEY];
  }
};
