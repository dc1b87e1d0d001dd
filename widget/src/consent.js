import {changed} from './onChange.js';
import {allow} from './consentState.js';
import {forget, KEY} from './tabStorage.js';
import {arrive} from './visit.js';

/** Consent given: the waiting visit starts and the buttons come alive. Taken back: all is forgotten. */
export const consent = (given) => {
  if (allow(given) && given) return arrive();
  if (given) return;
  forget();
  changed();
  delete localStorage[KEY];
};
