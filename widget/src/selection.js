import {isOwn} from './url.js';

/** Where copies keep their URLs as they are. */
export const IGNORED = 'area,pre,code,input,textarea,select,[contenteditable],[data-grapevine-ignore]';

/**
 * This site's own links of which something visible is selected. Asks little of each: a page may hold a hundred thousand.
 * @param {Range[]} ranges
 * @returns {HTMLAnchorElement[]}
 */
export const ownLinks = (ranges) => ([...document.links].filter(
    (link) =>
      isOwn(link.href) && !link.closest(IGNORED) && isShown(link) && ranges.some((range) => takes(range, link)),
  ));

const takes = (range, link) => {
  const starts = link.contains(range.startContainer);
  const ends = link.contains(range.endContainer);
  if (!starts && !ends) return range.intersectsNode(link);
  const part = range.cloneRange();
  if (!starts) part.setStartBefore(link);
  if (!ends) part.setEndAfter(link);
  return String(part);
};

/** Whether a reader sees an element, and can copy it. */
export const isShown = (element) => (element.checkVisibility?.() != false && getComputedStyle(element).userSelect != 'none');
