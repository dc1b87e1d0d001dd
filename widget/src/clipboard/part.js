import {tag} from '../url.js';
import {retag} from './rewriteClipboard.js';
import {html, plainText} from './clipboardFormats.js';
import {replaceOwn, spotsIn} from './findUrls.js';

/**
 * Puts both flavours of what is selected on the clipboard, if an own URL stands in its text, to be called when the links
 * of the selection are tagged; without a selection, tags what the page has put there.
 * @returns {string | undefined} the first such URL
 */
export const start = (event, token, selection, ranges) => {
  const replace = (own) => tag(own, token);
  if (!selection) return retag(event, replace);
  const spots = spotsIn(ranges);
  const [url] = spots.find(([, ignored]) => !ignored) || [];
  if (url) {
    event.clipboardData.setData('text/plain', replaceOwn(plainText(selection), spots, replace));
    event.clipboardData.setData('text/html', ranges.map(html).join(''));
    event.preventDefault();
  }
  return url;
};
