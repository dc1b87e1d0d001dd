import {IGNORED} from '../selection.js';
import {isOwn} from '../url.js';
import {URLS} from './findUrls.js';

/** The address of a link in HTML source. */
const HREFS = /(<a(?=\s)(?:[^>"']|"[^"]*"|'[^']*')*?\shref\s*=\s*)("[^"]*"|'[^']*'|[^\s"'>]+)/gi;

/**
 * Replaces own URLs in what the page itself has put on the clipboard, and leaves every other byte as it is: in HTML
 * those of links, in text all of them. What an editor or a field copies is none of ours.
 * @returns {string | undefined} the first such URL
 */
export const retag = ({clipboardData, target}, replace) => {
  if (target.closest?.(IGNORED + ',input,textarea,select')) return;
  let first;
  const put = (url) => {
    if (!isOwn(url)) return url;
    first ||= url;
    return replace(url);
  };
  const change = (type, from) => {
    const before = clipboardData.getData(type);
    const after = from(before);
    if (after != before) clipboardData.setData(type, after);
  };
  change('text/plain', (text) => text.replace(URLS, put));
  change('text/html', (source) => source.replace(HREFS, (_, start, value) => {
    const quote = /^["']/.test(value) ? value[0] : '';
    const url = value.slice(quote.length, value.length - quote.length);
    const tagged = put(url.replace(/&amp;/g, '&'));
    return start + (isOwn(url) ? quote + tagged.replace(/&/g, '&amp;') + quote : value);
  }));
  return first;
};
