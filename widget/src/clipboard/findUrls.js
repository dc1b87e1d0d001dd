import {IGNORED, isShown} from '../selection.js';
import {isOwn} from '../url.js';

/** An http(s) URL in running text, without the punctuation that follows it; brackets only in pairs. */
export const URLS = /https?:\/\/(?:\([^\s()]*\)|[^\s<>"、。，」）])+?(?=[.,:;!?'\]})*_’“”»…]*(?![^\s<>"、。，」）]))/gi;

/**
 * This site's own URLs in the text of what is selected. Asks little of each node: a selection may hold a hundred thousand.
 * @param {Range[]} ranges
 * @returns {[string, boolean][]} every own URL, in order, with whether it lies in an ignored place
 */
export const spotsIn = (ranges) => {
  const spots = [];
  for (const range of ranges) {
    const texts = document.createTreeWalker(range.commonAncestorContainer, 4);
    for (let text = texts.root; text; text = texts.nextNode()) {
      const parent = text.parentElement;
      if (!/:\/\//.test(text.data) || !range.intersectsNode(text) || !isShown(parent)) continue;
      const start = text == range.startContainer ? range.startOffset : 0;
      const end = text == range.endContainer ? range.endOffset : Infinity;
      for (const [url] of text.data.slice(start, end).matchAll(URLS))
        if (isOwn(url)) spots.push([url, !!parent.closest(IGNORED + ',input,textarea,select')]);
    }
  }
  return spots;
};

/** Replaces the own URLs in selected text, those in ignored places left out. */
export const replaceOwn = (text, spots, replace) => {
  return text.replace(URLS, (url) => {
    const passed = spots.splice(0, spots.findIndex(([spot]) => spot == url) + 1);
    const [, ignored] = passed.pop() || [url, true];
    return ignored ? url : replace(url);
  });
};
