import {IGNORED_SELECTOR} from '../selection.js';
import {isOwnUrl} from '../url.js';
import {URL_PATTERN} from './urlPattern.js';

/** Matches the `href` of a link in HTML source. Parsing the source would lose bytes of it. */
const HREF_PATTERN = /(<a(?=\s)(?:[^>"']|"[^"]*"|'[^']*')*?\shref\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)/gi;

/**
 * Replaces own URLs in what the page itself has put on the clipboard, and keeps every other byte: all of them in plain
 * text, those of links in HTML. Copies from editors and fields stay as they are.
 * @param {ClipboardEvent} event
 * @param {(url: string) => string} replace
 * @returns {string | undefined} the first own URL
 */
export const rewriteClipboard = ({clipboardData, target}, replace) => {
  if (target.closest?.(IGNORED_SELECTOR + ',input,textarea,select')) return;
  let first;
  const replaceOwn = (url) => {
    if (!isOwnUrl(url)) return url;
    first ||= url;
    return replace(url);
  };
  const rewriteFormat = (type, rewrite) => {
    const before = clipboardData.getData(type);
    const after = rewrite(before);
    if (after != before) clipboardData.setData(type, after);
  };
  rewriteFormat('text/plain', (text) => text.replace(URL_PATTERN, replaceOwn));
  rewriteFormat('text/html', (source) => source.replace(HREF_PATTERN, (_, start, value) => {
    const quote = /^["']/.test(value) ? value[0] : '';
    const url = value.slice(quote.length, value.length - quote.length);
    const tagged = replaceOwn(url.replace(/&amp;/g, '&'));
    return start + (isOwnUrl(url) ? quote + tagged.replace(/&/g, '&amp;') + quote : value);
  }));
  return first;
};
