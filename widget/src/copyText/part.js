import {plainTextOf} from './clipboardFormats.js';
import {copyContent} from './copyContent.js';

/** Entry of the part for text that shows an own URL. A copy is one task, so that the caller keeps what this returns. */
export const start = () => writeSelection;

/**
 * Writes both formats of a selection to the clipboard. Its links must be tagged already.
 * @param {ClipboardEvent} event
 * @param {Selection} selection
 * @param {AbstractRange[]} parts of the selection
 * @param {boolean} hasShadow whether they hold shadow roots
 * @param {replaceOwnUrls} replaceOwnUrls of the clipboard part, which has the room for it
 * @param {(url: string) => string} replace
 * @returns {string | undefined} the first own URL; undefined if the browser has to make the copy
 */
const writeSelection = (event, selection, parts, hasShadow, replaceOwnUrls, replace) => {
  const content = copyContent(parts);
  let text = plainTextOf(selection);
  // It lacks what is in shadow roots and in form fields, and in Chromium it may have what is in closed details.
  if ((hasShadow || content.differs) && text.replace(/\s/g, '') != content.bare) text = content.text.trim();
  const [tagged, url] = replaceOwnUrls(text, content, replace);
  if (!url || content.closed) return;
  event.clipboardData.setData('text/plain', tagged);
  event.clipboardData.setData('text/html', content.html);
  event.preventDefault();
  return url;
};
