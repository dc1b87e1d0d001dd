import {IGNORED_SELECTOR, isCopyable} from '../selection.js';
import {isOwnUrl} from '../url.js';

/** An http(s) URL in running text, without the punctuation that follows it; brackets only in pairs. */
export const URL_PATTERN = /https?:\/\/(?:\([^\s()]*\)|[^\s<>"、。，」）])+?(?=[.,:;!?'\]})*_’“”»…]*(?![^\s<>"、。，」）]))/gi;

/**
 * This site's own URLs in the text of what is selected. Asks little of each node: a selection may hold a hundred thousand.
 * @param {Range[]} ranges
 * @returns {[string, boolean][]} every own URL, in order, with whether it lies in an ignored place
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

/** Replaces the own URLs in selected text, those in ignored places left out. */
export const replaceOwnUrls = (text, found, replace) => {
  return text.replace(URL_PATTERN, (url) => {
    const passed = found.splice(0, found.findIndex(([candidate]) => candidate == url) + 1);
    const [, ignored] = passed.pop() || [url, true];
    return ignored ? url : replace(url);
  });
};
