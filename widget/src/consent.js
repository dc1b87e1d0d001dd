import {changed} from './changes.js';
import {allow} from './gate.js';
import {forget, KEY} from './tab.js';
import {arrive} from './visit.js';

/** Consent given: the waiting visit starts and the buttons come alive. Taken back: all is forgotten. */
export const consent = (given) => {
  if (allow(given) && given) return arrive();
  if (given) return;
  forget();
  changed();
  delete localStorage[KEY];
};
