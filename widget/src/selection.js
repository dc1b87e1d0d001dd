import {isOwn} from './url.js';

const IGNORED = 'pre,code,input,textarea,select,[contenteditable],[data-grapevine-ignore]';

/** An http(s) URL in running text, without the punctuation that follows it; brackets only in pairs. */
const URLS = /https?:\/\/(?:[^\s<>"()、。，」）]|\([^\s<>"()]*\))*(?:[^\s<>"()、。，」）.,:;!?'\]}*_’“”»…]|\([^\s<>"()]*\))/gi;

/** Whether a copy leaves the element out. */
export function isHidden(element) {
  const {display, userSelect} = getComputedStyle(element);
  return display == 'none' || userSelect == 'none';
}

/**
 * This site's own URLs in what is selected.
 * @param {Range[]} ranges
 * @returns {{links: Set<HTMLAnchorElement>, spots: [string, boolean][]}} the own links of which something visible is
 *   selected, and every own URL in the text, in order, with whether it lies in an ignored place
 */
export function ownInside(ranges) {
  const links = new Set();
  const spots = [];
  for (const range of ranges) {
    // Elements and text (1 + 4); 2 rejects a whole subtree.
    const choose = (node) => (node.nodeType == 1 && isHidden(node) ? 2 : 1);
    const walker = document.createTreeWalker(range.commonAncestorContainer, 5, choose);
    for (let node = walker.root; node; node = walker.nextNode()) {
      const parent = node.parentElement;
      if (!parent || !range.intersectsNode(node)) continue;
      const start = node == range.startContainer ? range.startOffset : 0;
      const end = node == range.endContainer ? range.endOffset : Infinity;
      const text = node.nodeType == 3 ? node.data.slice(start, end) : node.matches('img,svg') && ' ';
      if (!text) continue;
      const ignored = !!parent.closest(IGNORED);
      const link = parent.closest('a[href]');
      if (link && !ignored && isOwn(link.href)) links.add(link);
      for (const [url] of text.matchAll(URLS)) if (isOwn(url)) spots.push([url, ignored]);
    }
  }
  return {links, spots};
}

/** Replaces the own URLs in selected text, those in ignored places left out. */
export function replaceOwn(text, spots, replace) {
  let next = 0;
  return text.replace(URLS, (url) => {
    const found = spots.findIndex(([spot], i) => i >= next && spot == url);
    if (found < 0) return url;
    next = found + 1;
    return spots[found][1] ? url : replace(url);
  });
}
