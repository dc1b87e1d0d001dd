import {config} from '../config.js';
import {mayCollect} from '../consentState.js';
import {warn} from '../guard.js';
import {notifyChange} from '../onChange.js';
import {clearTab, STORAGE_KEY, tab} from '../tabStorage.js';

/** Whether the console says already why nothing is counted here. */
let isExplained;

/**
 * Entry of the part for visitors who are not to be counted. The script sends nothing of them by itself; this part keeps
 * the choice, drops the tab's visit, and says in the console what holds and how to change it.
 * @param {'ignore' | 'count'} [mark] that the page was just opened with
 */
export const start = (mark) => {
  if (mark == 'count') return countAgain();
  const isKept = !mark || keepChoice();
  const isOwnChoice = mayCollect.mark == 'ignore';
  if (isOwnChoice) clearTab();
  // In memory alone, for a page that says so after its visit began: the next page that is counted goes on with the visit.
  else Object.assign(tab, {landing: null, outbox: {}, tokens: {}, visit: null, session: null});
  notifyChange();
  if (!isExplained) warn(!isOwnChoice ? PAGE_SAYS_SO : isKept ? OWN_CHOICE : CANNOT_KEEP);
  isExplained = true;
};

/** Returns the end of an address with a mark; a hash-routed site has its fragments for itself. */
const addressEnd = (mark) => {
  const name = config.param || 'gv';
  return config.place == 'query' ? `?${name}=${mark}` : `#${name}-${mark}`;
};

const OWN_CHOICE =
  `does not count this browser on this site: a page was opened with ${addressEnd('ignore')} at the end of its address. ` +
  `To be counted again, open ${location.origin}${location.pathname}${addressEnd('count')}`;

const CANNOT_KEEP =
  'does not count this page, but cannot keep that for the other pages: this browser stores nothing for this site. ' +
  `Open each page with ${addressEnd('ignore')} at the end of its address.`;

const PAGE_SAYS_SO =
  'does not count this page: the page itself says so (data-ignore). Many sites do that for people who are signed in.';

/** Returns whether the browser keeps the choice for the site's other pages. What it had stored of visits goes. */
const keepChoice = () => {
  try {
    delete localStorage[STORAGE_KEY];
    localStorage.grapevine = 'ignore';
    return true;
  } catch {}
};

const countAgain = () => {
  isExplained = false;
  // So that what another tab stores from now on holds here, too.
  mayCollect.mark = '';
  warn('counts this browser on this site.');
  if (localStorage.grapevine == 'ignore') delete localStorage.grapevine;
};
