import {URL_PATTERN} from './urlPattern.js';
import {IGNORED_SELECTOR} from '../selection.js';
import {cleanUrl, isOwnUrl, untag} from '../url.js';

/** Matches the mark of a text that was cut. */
const CUT = /…|\.\.|⋯|‥/;

/**
 * Replaces the own URLs in the plain text of a selection, except those in ignored places and those that are the cut form
 * of a link's address. The text has lost its nodes, so its URLs are looked up in order in the content, whose text nodes
 * may each hold a piece of a URL.
 * @param {string} text
 * @param {Content} content
 * @param {(url: string) => string} replace
 * @returns {[string, string?]} the text, and the first URL that was replaced
 */
export const replaceOwnUrls = (text, {bare, pieces}, replace) => {
  let first;
  let end = 0;
  let piece = 0;
  const replaced = text.replace(URL_PATTERN, (url) => {
    const start = bare.indexOf(url, end);
    if (start < 0 || !isOwnUrl(url)) return url;
    end = start + url.length;
    while (pieces[piece + 1]?.[0] <= start) piece++;
    if (isCut(pieces[piece][1].closest('a[href]'), url)) return url;
    for (let i = piece; pieces[i]?.[0] < end; i++)
      if (isIgnored(pieces[i][1])) return url;
    // A soft hyphen and its like only say where a line may break.
    first ||= url.replace(/[\xad\u200b\u2060]/g, '');
    return replace(url);
  });
  return [replaced, first];
};

/** Returns a true value if the URL that a link shows is only a cut form of the link's address. */
const isCut = (link, url) => {
  const href = link && untag(link.href)[0];
  const shown = cleanUrl(new URL(url).href);
  return href && shown != href && shown + '/' != href && (CUT.test(link.textContent) || href.startsWith(shown));
};

/** Returns a true value if an element lies in an ignored place; so does all that is in the shadow of one that does. */
const isIgnored = (element) =>
  (element && (element.closest(IGNORED_SELECTOR + ',input,textarea,select') || isIgnored(element.getRootNode().host)));
