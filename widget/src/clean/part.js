import {config} from '../config.js';
import {notifyChange} from '../onChange.js';
import {tab} from '../tabStorage.js';
import {cleanUrl} from '../url.js';
import {withoutTracking} from './withoutTracking.js';

/** Entry of the clean part: from then on, shared URLs are cleaned, unless the site does not want that. */
export const start = () => {
  if (cleanUrl.clean || config.clean == 'off') return;
  cleanUrl.clean = withoutTracking;
  cleanAddressBar();
  notifyChange();
};

/**
 * Takes what only tracks out of the fragment of a page that was opened with a token: it was added behind that on its way
 * (`#gv-TOKEN&fbclid=…`), where hardly any analytics looks for it. In a query the page's own analytics may read it, and
 * the fragment of a hash route is the page's own. The visit was reported with all of it.
 */
const cleanAddressBar = () => {
  const {token, url} = tab.landing || {};
  if (!token || url != location.href) return;
  const cleaned = url.replace(/#(?![/!]).*/, withoutTracking);
  if (cleaned != url) history.replaceState(history.state, '', cleaned);
};
