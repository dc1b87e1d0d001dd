import {callPart} from '../lazyParts.js';
import {tagLinks} from '../selection.js';
import {tag} from '../url.js';
import {replaceOwnUrls} from './replaceOwnUrls.js';
import {rewriteClipboard} from './rewriteClipboard.js';
import {selectedParts, selectedTrees} from './shadowRoots.js';

/** What a text with an own URL holds. Of an international domain, a text may hold any spelling. */
const HINT = '://' + location.host.replace(/.*xn--.*/, '');

/** What the part for text returned: writes a selection to the clipboard. */
let writeSelection;

/**
 * Entry of the clipboard part: returns what handles a copy, with the part for text, for which a copy cannot wait.
 * @returns {Promise<typeof rewriteCopy>}
 */
export const start = async () => {
  writeSelection = await callPart('copyText');
  return rewriteCopy;
};

/**
 * With the ranges of a selection, tags own links in shadow roots, and lets the part for text write the clipboard if the text
 * may show an own URL; links outside shadow roots must be tagged already. Without ranges, tags what is on the clipboard
 * already.
 * @param {ClipboardEvent} event
 * @param {string} token
 * @param {Range[]} [ranges]
 * @returns {string | undefined} the first own URL
 */
const rewriteCopy = (event, token, ranges) => {
  const replace = (ownUrl) => tag(ownUrl, token);
  if (!ranges) return rewriteClipboard(event, replace);
  const selection = getSelection();
  const parts = selectedParts(selection, ranges);
  const trees = parts.map(selectedTrees).flat();
  const linkUrl = tagLinks(parts == ranges ? trees.slice(1) : trees, token);
  const showsUrl = trees.some((range) => String(range).toLowerCase().includes(HINT));
  return (showsUrl && writeSelection?.(event, selection, parts, trees[1], replaceOwnUrls, replace)) || linkUrl;
};
