import {IGNORED_SELECTOR, isCopyable} from '../selection.js';
import {isOwnUrl} from '../url.js';

/** Matches http(s) URLs in running text, without the punctuation after them; parentheses only in pairs. */
export const URL_PATTERN = /https?:\/\/(?:\([^\s()]*\)|[^\s<>"、。，」）])+?(?=[.,:;!?'\]})*_’“”»…]*(?![^\s<>"、。，」）]))/gi;

/**
 * Finds this site's own URLs in the text of a selection. The cheapest test comes first, because a selection may have a
 * hundred thousand nodes.
 * @param {Range[]} ranges
 * @returns {[string, boolean][]} every own URL in order, and whether it lies in an ignored place
 */
export const findOwnUrls = (ranges) => {
  const found = [];
  for (const range of ranges) {
    const texts = document.createTreeWalker(range.commonAncestorContainer, 4);
    for (let text = texts.root; text; text = texts.nextNode()) {
      const parent = text.parentElement;
      if (!/:\/\//.test(text.data) || !range.intersectsNode(text) || !isCopyable(parent)) continue;
      const start = text == range.startContainer ? range.startOffset : 0;
      const end = text == range.endContainer ? range.endOffset : Infinity;
      for (const [url] of text.data.slice(start, end).matchAll(URL_PATTERN))
        if (isOwnUrl(url)) found.push([url, !!parent.closest(IGNORED_SELECTOR + ',input,textarea,select')]);
    }
  }
  return found;
};

/**
 * Replaces the own URLs in the plain text of a selection, except those in ignored places. The text has lost its nodes,
 * so its URLs are matched in order with those that `findOwnUrls` has found; the list is consumed.
 */
export const replaceOwnUrls = (text, found, replace) => {
  return text.replace(URL_PATTERN, (url) => {
    const passed = found.splice(0, found.findIndex(([candidate]) => candidate == url) + 1);
    const [, ignored] = passed.pop() || [url, true];
    return ignored ? url : replace(url);
  });
};
