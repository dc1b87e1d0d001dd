import {config} from '../config.js';
import {notifyChange} from '../onChange.js';
import {cleanUrl} from '../url.js';
import {withoutTracking} from './withoutTracking.js';

/** Entry of the clean part: from then on, shared URLs are cleaned, unless the site does not want that. */
export const start = () => {
  if (cleanUrl.clean || config.clean == 'off') return;
  cleanUrl.clean = withoutTracking;
  notifyChange();
};
