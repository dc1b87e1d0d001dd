import {isOwnUrl, tag} from './url.js';

/** Matches the places whose URLs a copy keeps as they are. */
export const IGNORED_SELECTOR = 'pre,code,[contenteditable],[data-grapevine-ignore]';

/**
 * Adds a token to this site's own links in some ranges, while the browser makes the copy.
 * @param {Range[]} ranges
 * @returns {string | undefined} the URL of the first link
 */
export const tagLinks = (ranges, token) => {
  let url;
  for (const link of ranges.map(selectedOwnLinks).flat()) {
    const href = link.getAttribute('href');
    url ||= link.href;
    // Restored after the copy, unless the page has changed the link meanwhile.
    const tagged = (link.href = tag(link.href, token));
    setTimeout(() => link.href == tagged && link.setAttribute('href', href));
  }
  return url;
};

/**
 * Returns this site's own links that a range selects visibly; of a range in a shadow root, those in that root.
 *
 * A page may have a hundred thousand links, and comparing a position takes the browser time in proportion to the
 * siblings. So a binary search finds the first and the last link of the range, and only those between are examined.
 */
const selectedOwnLinks = (range) => {
  const root = range.startContainer.getRootNode();
  const links = [...root.querySelectorAll('a')];
  /** Returns the number of links that end before the range (`end` 0), or that begin before its end (`end` 1). */
  const before = (end) => {
    let count = 0;
    for (let step = 1 << 20; step; step >>= 1) {
      const link = links[count + step - 1];
      if (link && range.comparePoint(link, end ? 0 : link.childNodes.length) < end) count += step;
    }
    return count;
  };
  return links
    .slice(before(0), before(1))
    .filter(
      (link) =>
        isOwnUrl(link.href) &&
        !(root.host?.closest(IGNORED_SELECTOR) || link.closest(IGNORED_SELECTOR)) &&
        getComputedStyle(link).userSelect != 'none' &&
        selectsContent(range, link),
    );
};

/**
 * Returns a true value if the range holds the whole link and a reader sees something of it, or if it holds some of its
 * text; a boundary may touch a link without any. A link with `display: contents` has no box, but its text
 * has; one without text is not found.
 */
const selectsContent = (range, link) => {
  const starts = link.contains(range.startContainer);
  const ends = link.contains(range.endContainer);
  const part = range.cloneRange();
  if (!starts) part.setStartBefore(link);
  if (!ends) part.setEndAfter(link);
  return starts || ends ? String(part) : part.getClientRects()[0];
};
