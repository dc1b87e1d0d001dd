import {html, plainText} from './flavours.js';
import {ownInside, replaceOwn} from './selection.js';
import {report} from './share.js';
import {tab} from './tab.js';
import {isOwn, tag, untag} from './url.js';

/**
 * Puts the reader's token into the site's own URLs in what is being copied. A link gets it for the moment in which the
 * browser makes the copy, so that everything else about the copy is the browser's own work. Only where an own URL
 * stands in the text itself are the two flavours made here. A copy without own URLs is left alone.
 */
export function onCopy(event) {
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
    const ranges = Array.from({length: selection.rangeCount}, (_, i) => selection.getRangeAt(i));
    const {links, spots} = ownInside(ranges);
    const spot = spots.find(([, ignored]) => !ignored);
    url = links[0]?.href || spot?.[0];
    if (!url) return;
    links.forEach((link) => tagLink(link, token));
    if (spot) {
      made.plain = replaceOwn(plainText(selection), spots, (own) => tag(own, token));
      made.html = ranges.map(html).join('');
    }
  }
  for (const type in made) {
    event.clipboardData.setData('text/' + type, made[type]);
    event.preventDefault();
  }
  report('copy', untag(url)[0]);
}

function tagLink(link, token) {
  const before = link.getAttribute('href');
  const tagged = tag(link.href, token);
  link.setAttribute('href', tagged);
  setTimeout(() => {
    if (link.href == tagged) link.setAttribute('href', before);
  });
}
