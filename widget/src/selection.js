import {isOwnUrl} from './url.js';

/** Matches the places whose URLs a copy keeps as they are. */
export const IGNORED_SELECTOR = 'area,pre,code,[contenteditable],[data-grapevine-ignore]';

/**
 * Returns this site's own links that a range selects visibly.
 *
 * A page may have a hundred thousand links, and comparing a position takes the browser time in proportion to the
 * siblings. So a binary search finds the first and the last link of the range, and only those between are examined.
 * @param {Range} range
 * @returns {HTMLAnchorElement[]}
 */
export const selectedOwnLinks = (range) => {
  const links = [...document.links];
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
        isOwnUrl(link.href) && !link.closest(IGNORED_SELECTOR) && isCopyable(link) && selectsText(range, link),
    );
};

/**
 * Returns a true value if the range holds the whole link or some of its text; a boundary may touch a link without any.
 */
const selectsText = (range, link) => {
  const starts = link.contains(range.startContainer);
  const ends = link.contains(range.endContainer);
  if (!starts && !ends) return true;
  const part = range.cloneRange();
  if (!starts) part.setStartBefore(link);
  if (!ends) part.setEndAfter(link);
  return String(part);
};

/** Returns whether a reader sees an element and the browser would copy it. */
export const isCopyable = (element) => (element.getClientRects()[0] && getComputedStyle(element).userSelect != 'none');
