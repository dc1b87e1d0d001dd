import {tag} from '../url.js';
import {htmlOf, plainTextOf} from './clipboardFormats.js';
import {findOwnUrls, replaceOwnUrls} from './findUrls.js';
import {rewriteClipboard} from './rewriteClipboard.js';

/**
 * Puts both flavours of what is selected on the clipboard, if an own URL stands in its text, to be called when the links
 * of the selection are tagged; without a selection, tags what the page has put there.
 * @returns {string | undefined} the first such URL
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
