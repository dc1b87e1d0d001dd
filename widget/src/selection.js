import {isOwnUrl} from './url.js';

/** Where copies keep their URLs as they are. */
export const IGNORED_SELECTOR = 'area,pre,code,[contenteditable],[data-grapevine-ignore]';

/**
 * This site's own links of which something visible is selected. A page may hold a hundred thousand, and a browser asks
 * all siblings where a link stands: so the first and the last are searched for, and only those between are looked at.
 * @param {Range} range
 * @returns {HTMLAnchorElement[]}
 */
export const selectedOwnLinks = (range) => {
  const links = [...document.links];
  /** How many links end before the range (`end` 0), or begin before its end (1). */
  const before = (end) => {
    let count = 0;
    for (let step = 1 << 20; step; step >>= 1) {
      const link = links[count + step - 1];
      if (link && range.comparePoint(link, end ? 0 : link.childNodes.length) < end) count += step;
    }
    return count;
  };
  return links.slice(before(0), before(1)).filter((link) => isOwnUrl(link.href) && !link.closest(IGNORED_SELECTOR) && isCopyable(link) && selectsText(range, link));
};

const selectsText = (range, link) => {
  const starts = link.contains(range.startContainer);
  const ends = link.contains(range.endContainer);
  if (!starts && !ends) return true;
  const part = range.cloneRange();
  if (!starts) part.setStartBefore(link);
  if (!ends) part.setEndAfter(link);
  return String(part);
};

/** Whether a reader sees an element, and can copy it. */
export const isCopyable = (element) => (element.getClientRects()[0] && getComputedStyle(element).userSelect != 'none');
