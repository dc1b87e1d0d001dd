import {isOwn} from './url.js';

const IGNORED = 'pre,code,input,textarea,select,[contenteditable],[data-grapevine-ignore]';

/** An http(s) URL in running text, without the punctuation that follows it; brackets only in pairs. */
const URLS = /https?:\/\/(?:\([^\s()]*\)|[^\s<>"、。，」）])+?(?=[.,:;!?'\]})*_’“”»…]*(?![^\s<>"、。，」）]))/gi;

/**
 * This site's own URLs in what is selected. Asks little of each node: a selection may hold a hundred thousand.
 * @param {Range[]} ranges
 * @returns {{links: HTMLAnchorElement[], spots: [string, boolean][]}} the own links of which something visible is
 *   selected, and every own URL in the text, in order, with whether it lies in an ignored place
 */
export function ownInside(ranges) {
  const spots = [];
  const links = [...document.links].filter(
    (link) =>
      isOwn(link.href) && !link.closest(IGNORED) && isShown(link) && ranges.some((range) => takes(range, link)),
  );
  for (const range of ranges) {
    const texts = document.createTreeWalker(range.commonAncestorContainer, 4);
    for (let text = texts.root; text; text = texts.nextNode()) {
      const parent = text.parentElement;
      if (!/:\/\//.test(text.data) || !range.intersectsNode(text) || !isShown(parent)) continue;
      const start = text == range.startContainer ? range.startOffset : 0;
      const end = text == range.endContainer ? range.endOffset : Infinity;
      for (const [url] of text.data.slice(start, end).matchAll(URLS))
        if (isOwn(url)) spots.push([url, !!parent.closest(IGNORED)]);
    }
  }
  return {links, spots};
}

/** Replaces the own URLs in selected text, those in ignored places left out. */
export function replaceOwn(text, spots, replace) {
  return text.replace(URLS, (url) => {
    const passed = spots.splice(0, spots.findIndex(([spot]) => spot == url) + 1);
    const [, ignored] = passed.pop() || [url, true];
    return ignored ? url : replace(url);
  });
}

function takes(range, link) {
  const starts = link.contains(range.startContainer);
  const ends = link.contains(range.endContainer);
  if (!starts && !ends) return range.intersectsNode(link);
  const part = range.cloneRange();
  if (!starts) part.setStart(link, 0);
  if (!ends) part.setEnd(link, link.childNodes.length);
  return String(part);
}

function isShown(element) {
  return element.checkVisibility?.() != false && getComputedStyle(element).userSelect != 'none';
}
