import {data} from './config.js';
import {load} from './lazyParts.js';
import {IGNORED, ownLinks} from './selection.js';
import {report} from './share.js';
import {tab} from './tabStorage.js';
import {isOwn, tag, untag} from './url.js';

const SHOWS_URL = '//text()[contains(.,"://")][not(../self::script)]';

let copyText;

/** Gets ready for copies of URLs that stand in the text itself: on a page that shows some, and when something is selected. */
export const readText = async (selects) => {
  if (data.copy != 'off' && (selects || document.evaluate?.(SHOWS_URL, document, null, 3).booleanValue))
    copyText = await load('clipboard');
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
    url = copyText?.(event, token);
  } else if (field?.selectionEnd) {
    url = field.value.slice(field.selectionStart, field.selectionEnd).trim();
    if (!isOwn(url) || /\s/.test(url) || field.closest(IGNORED)) return;
    event.clipboardData.setData('text/plain', tag(url, token));
    event.preventDefault();
  } else {
    const selection = getSelection();
    const ranges = [...Array(selection.rangeCount).keys()].map((i) => selection.getRangeAt(i));
    for (const link of ranges.map(ownLinks).flat()) {
      const href = link.getAttribute('href');
      url ||= link.href;
      const tagged = (link.href = tag(link.href, token));
      setTimeout(() => link.href == tagged && link.setAttribute('href', href));
    }
    url = copyText?.(event, token, selection, ranges) || url;
  }
  if (url) report('copy', untag(url)[0]);
};
