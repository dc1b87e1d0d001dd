import {config} from './config.js';
import {loadPart} from './lazyParts.js';
import {IGNORED_SELECTOR, selectedOwnLinks} from './selection.js';
import {reportShare} from './share.js';
import {tab} from './tabStorage.js';
import {isOwnUrl, tag, untag} from './url.js';

const TEXT_WITH_URL = '//text()[contains(.,"://")][not(../self::script)]';

let rewriteCopy;

/** Gets ready for copies of URLs that stand in the text itself: on a page that shows some, and when something is selected. */
export const prepareTextCopy = async (selects) => {
  if (config.copy != 'off' && (selects || document.evaluate?.(TEXT_WITH_URL, document, null, 3).booleanValue))
    rewriteCopy = await loadPart('clipboard');
};

/**
 * Puts the reader's token into the site's own URLs in what is being copied. A link gets it for the moment in which the
 * browser makes the copy, so that everything else about the copy is the browser's own work. Only where an own URL
 * stands in the text itself, or in what the page has put on the clipboard, are the flavours made by the widget's part.
 * A copy without own URLs is left alone.
 */
export const onCopy = (event) => {
  const token = tab.tokens.copy;
  if (!token) return;
  const field = document.activeElement;
  let url;
  if (event.defaultPrevented) {
    url = rewriteCopy?.(event, token);
  } else if (field?.selectionEnd) {
    url = field.value.slice(field.selectionStart, field.selectionEnd).trim();
    if (!isOwnUrl(url) || /\s/.test(url) || field.closest(IGNORED_SELECTOR)) return;
    event.clipboardData.setData('text/plain', tag(url, token));
    event.preventDefault();
  } else {
    const selection = getSelection();
    const ranges = [...Array(selection.rangeCount).keys()].map((i) => selection.getRangeAt(i));
    for (const link of ranges.map(selectedOwnLinks).flat()) {
      const href = link.getAttribute('href');
      url ||= link.href;
      const tagged = (link.href = tag(link.href, token));
      setTimeout(() => link.href == tagged && link.setAttribute('href', href));
    }
    url = rewriteCopy?.(event, token, selection, ranges) || url;
  }
  if (url) reportShare('copy', untag(url)[0]);
};
