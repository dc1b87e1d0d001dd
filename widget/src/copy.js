import {data} from './config.js';
import {load} from './load.js';
import {ownLinks} from './selection.js';
import {report} from './share.js';
import {tab} from './tab.js';
import {isOwn, tag, untag} from './url.js';

const SHOWS_URL = '//*[not(self::script|self::style)]/text()[contains(.,"://")]';

let copyText;

/** Gets ready for copies of URLs that stand in the text itself, on a page that shows some. */
export const readText = async () => {
  if (data.copy != 'off' && document.evaluate(SHOWS_URL, document, null, 3).booleanValue)
    copyText = await load('text');
};

/**
 * Puts the reader's token into the site's own URLs in what is being copied. A link gets it for the moment in which the
 * browser makes the copy, so that everything else about the copy is the browser's own work. Only where an own URL
 * stands in the text itself are the two flavours made by the widget. A copy without own URLs is left alone.
 */
export const onCopy = (event) => {
  const token = tab.tokens.copy;
  if (!token || event.defaultPrevented) return;
  const field = document.activeElement;
  const made = {};
  let url;
  if (field?.selectionStart != null) {
    url = field.value.slice(field.selectionStart, field.selectionEnd).trim();
    if (!isOwn(url) || /\s/.test(url) || field.closest('[data-grapevine-ignore]')) return;
    made.plain = tag(url, token);
  } else {
    const selection = getSelection();
    const ranges = [...Array(selection.rangeCount).keys()].map((i) => selection.getRangeAt(i));
    const links = ownLinks(ranges);
    url = links[0]?.href;
    links.forEach((link) => tagLink(link, token));
    url = copyText?.(made, selection, ranges, token) || url;
    if (!url) return;
  }
  for (const type in made) {
    event.clipboardData.setData('text/' + type, made[type]);
    event.preventDefault();
  }
  report('copy', untag(url)[0]);
};

const tagLink = (link, token) => {
  const before = link.getAttribute('href');
  const tagged = (link.href = tag(link.href, token));
  setTimeout(() => {
    if (link.href == tagged) link.setAttribute('href', before);
  });
};
