import {callPart, loadedParts} from './lazyParts.js';
import {IGNORED_SELECTOR, tagLinks} from './selection.js';
import {config} from './config.js';
import {reportShare} from './share.js';
import {tab} from './tabStorage.js';
import {cleanUrl, isOwnUrl, tag} from './url.js';

/** XPath of the text nodes that contain a URL. */
const TEXT_WITH_URL = '//text()[contains(.,"://")][not(../self::script)]';

/** What the clipboard part returned, once it is loaded. A copy cannot wait for it: the event ends with the handler. */
let rewriteCopy;

/**
 * Loads the parts that a copy may need. The clipboard part: the page's text shows a URL, or the reader has selected
 * something. The clean part: the page's address or one of its links has parameters.
 */
export const prepareTextCopy = async (selects) => {
  cleanUrl(location + document.querySelector('a[href*="="]'));
  if (config.copy != 'off' && (selects || document.evaluate?.(TEXT_WITH_URL, document).iterateNext()))
    rewriteCopy = await callPart('clipboard');
  return loadedParts.clean;
};

/**
 * Handles `copy`: adds the reader's token to this site's own URLs in the copied content.
 *
 * Links carry the token only while the browser makes the copy, so everything else about the copy is the browser's own.
 * The clipboard part writes the formats itself only where an own URL stands in the text, or where the page has already
 * filled the clipboard; it also finds the links in shadow roots. A copy without own URLs stays as it is.
 */
export const onCopy = (event) => {
  const field = document.activeElement;
  const token = tab.tokens.copy;
  if (!token) return;
  let url;
  let ranges;
  if (event.defaultPrevented) {
    // The page has filled the clipboard itself; only the part looks at that.
  } else if (field?.selectionEnd) {
    // The selection lies in a field; `getSelection()` does not know it. The part leaves fields alone.
    url = field.value.slice(field.selectionStart, field.selectionEnd).trim();
    if (!isOwnUrl(url) || /\s/.test(url) || field.closest(IGNORED_SELECTOR)) return;
    event.clipboardData.setData('text/plain', tag(url, token));
    event.preventDefault();
  } else {
    const selection = getSelection();
    ranges = [...Array(selection.rangeCount)].map((_, i) => selection.getRangeAt(i));
    url = tagLinks(ranges, token);
  }
  url = rewriteCopy?.(event, token, ranges) || url;
  // As the browser spells it: the server compares addresses, and a text may spell one in many ways.
  if (url) reportShare('copy', new URL(url).href);
};
