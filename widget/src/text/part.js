import {tag} from '../url.js';
import {html, plainText} from './flavours.js';
import {replaceOwn, spotsIn} from './spots.js';

/**
 * Fills `made` with both flavours of what is selected, if an own URL stands in its text. To be called when the links of
 * the selection are tagged.
 * @returns {string | undefined} the first such URL
 */
export const start = (made, selection, ranges, token) => {
  const spots = spotsIn(ranges);
  const [url] = spots.find(([, ignored]) => !ignored) || [];
  if (url) {
    made.plain = replaceOwn(plainText(selection), spots, (own) => tag(own, token));
    made.html = ranges.map(html).join('');
  }
  return url;
};
