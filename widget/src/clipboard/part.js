import {tag} from '../url.js';
import {htmlOf, plainTextOf} from './clipboardFormats.js';
import {findOwnUrls, replaceOwnUrls} from './findUrls.js';
import {rewriteClipboard} from './rewriteClipboard.js';

/**
 * Entry of the clipboard part. With a selection, writes both formats of it to the clipboard if its text shows an own
 * URL; the links of the selection must be tagged already. Without one, tags what the page has put on the clipboard.
 * @param {ClipboardEvent} event
 * @param {string} token
 * @param {Selection} [selection]
 * @param {Range[]} [ranges] of the selection
 * @returns {string | undefined} the first own URL of the text
 */
export const start = (event, token, selection, ranges) => {
  const replace = (ownUrl) => tag(ownUrl, token);
  if (!selection) return rewriteClipboard(event, replace);
  const found = findOwnUrls(ranges);
  const [url] = found.find(([, ignored]) => !ignored) || [];
  if (url) {
    event.clipboardData.setData('text/plain', replaceOwnUrls(plainTextOf(selection), found, replace));
    event.clipboardData.setData('text/html', ranges.map(htmlOf).join(''));
    event.preventDefault();
  }
  return url;
};
