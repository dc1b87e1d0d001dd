import {guard} from '../guard.js';
import {mayCollect} from '../consentState.js';
import {callPart, ELEMENT_PREFIX, hasStickyBar} from '../lazyParts.js';
import {notifyChange} from '../onChange.js';
import {tab} from '../tabStorage.js';
import {pageUrl, untag} from '../url.js';
import {newToken, takeTokenFromUrl, trackPage} from '../visit.js';
import {newTitle} from './newTitle.js';

/** URL of the page before the changes that are not handled yet. */
let urlBefore;
/** Title of the page before these changes. */
let titleBefore;
/** The kinds of these changes, joined: `push`, `traverse`, `replace`, `reload`. */
let kinds = '';

/**
 * Entry of the part that tells route changes of single-page apps from other changes of the address.
 * @param {NavigationCurrentEntryChangeEvent} [event] without one, the browser has no such events
 * @param {string} [title] the document's at that moment
 */
export const start = (event, title) =>
  event ? noteChange(event.navigationType, event.from.url, title, event.timeStamp) : pollAddress();

const noteChange = (kind, url, title, time, delay = 50) => {
  // A router that redirects as the page loads; a reader's click, back and forward are something else.
  if (kind == 'push' && isLoading(time) && !isReaderActive()) kind = 'replace';
  urlBefore ??= url;
  // The title that was reported, since some routers change the title first; its page may have got one later.
  titleBefore ??= trackPage.view?.title ?? title;
  kinds += kind;
  // Some routers change the address several times for one page.
  setTimeout(handleChanges, delay);
};

/** Another page is a view, as is a link with a known token that is opened here; a new token begins a visit. */
const handleChanges = guard(async () => {
  const [url, token] = untag(location.href);
  // The reader's own token stays in the address bar (`data-address-bar`); no reader has opened a link with it.
  const isOwn = token && token == tab.tokens.address;
  // A router that puts back the address it began with gives the entry a state; an opened link has none.
  const isOpened = token && !isOwn && hasMoved(kinds) && history.state == null;
  const isRoute = urlBefore && isOtherPage(untag(urlBefore)[0], url, kinds);
  const before = titleBefore;
  urlBefore = titleBefore = null;
  kinds = '';
  if (!isOwn) takeTokenFromUrl();
  stopIfIgnored();
  notifyChange();
  // Again, for a page that began without a connection; not where the page has taken the names of the elements, the last
  // of which is then not defined.
  if (hasStickyBar() && window.customElements?.get(ELEMENT_PREFIX + '-survey')) callPart('buttons');
  if (trackPage.refused) return;
  if (isRoute) {
    const title = await newTitle(before, () => identity(pageUrl()) != identity(url));
    // What the router has drawn meanwhile.
    notifyChange();
    return trackPage({url, title});
  }
  if (isOpened || newToken()) return trackPage();
});

/** Another tab may have asked meanwhile not to be counted; a page may set `data-ignore` for a reader who signs in. */
const stopIfIgnored = () => {
  try {
    mayCollect.mark ||= localStorage.grapevine;
  } catch {}
  if (mayCollect() === 0) callPart('ignore');
};

/**
 * Returns whether the address was changed to that of another page.
 *
 * A page load is one view, whatever a router does to the address: a replaced address is another page only if its path
 * is another one and the reader has done something before.
 */
const isOtherPage = (before, after, kinds) => {
  const [pageBefore, pageAfter] = [before, after].map(identity);
  if (pageBefore == pageAfter) return false;
  return hasMoved(kinds) || (isReaderActive() && withoutQuery(pageBefore) != withoutQuery(pageAfter));
};

const hasMoved = (kinds) => /push|traverse/.test(kinds);

/** Returns whether the page was still loading at that time (`performance.now()`). */
const isLoading = (time) => {
  const {loadEventEnd} = performance.getEntriesByType('navigation')[0] || {loadEventEnd: 1};
  return !loadEventEnd || time < loadEventEnd;
};

/**
 * Returns the identity of a page: its URL without a plain fragment, and without what routers add or take away: a slash
 * at the end, an empty query or hash route. A hash route (`#/…`, `#!…`) is part of it. Spellings of one URL are the same
 * (`%7e`, `%7E`, `~`).
 */
const identity = (url) =>
  url
    .replace(/#(?![/!]).*|#[/!]*$/, '')
    .replace(/\/?\??(?=#|$)|\/(?=\?)/g, '')
    .replace(/%(2d|2e|5f|7e|3\d|[46][1-9a-f]|[57][\da])/gi, decodeURIComponent)
    .replace(/%../g, (code) => code.toUpperCase());

const withoutQuery = (page) => page.replace(/\?[^#]*/g, '');

/** Some browsers do not say whether the reader has done anything; there it is assumed. */
const isReaderActive = () => scrollY || (navigator.userActivation?.hasBeenActive ?? true);

/**
 * Compares the address five times a second: `popstate` does not fire for `history.pushState()`, and the widget does not
 * patch the page's `history`. A push makes the history longer, except at its end of fifty entries. A change before this
 * part was loaded counts as a replaced address.
 */
const pollAddress = () => {
  const {url = pageUrl()} = trackPage.view || {};
  let href = url == pageUrl() ? location.href : url;
  let {length} = history;
  let {title} = document;
  let traversed;
  addEventListener('popstate', () => (traversed = true));
  setInterval(() => {
    if (href != location.href)
      noteChange(traversed ? 'traverse' : history.length > length || length > 49 ? 'push' : 'replace', href, title, performance.now() - 200, 0);
    ({href} = location);
    ({length} = history);
    ({title} = document);
    traversed = false;
  }, 200);
};
