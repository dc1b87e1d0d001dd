import {loadPart} from '../lazyParts.js';
import {tagLinks} from '../selection.js';
import {tag} from '../url.js';
import {rewriteClipboard} from './rewriteClipboard.js';
import {selectedParts, selectedTrees} from './shadowRoots.js';

/** What a text with an own URL holds. Of an international domain, a text may hold any spelling. */
const HINT = '://' + location.host.replace(/.*xn--.*/, '');

/**
 * Entry of the clipboard part; a promise, since it needs the part for text, and a copy cannot wait for it. With the
 * ranges of a selection, tags own links in shadow roots, and lets that part write the clipboard if the text may show an
 * own URL; links outside shadow roots must be tagged already. Without ranges, tags what is on the clipboard already.
 * @type {Promise<(event: ClipboardEvent, token: string, ranges?: Range[]) => string | undefined>}
 *   returns the first own URL
 */
export const start = loadPart('copyText').then((writeSelection) => (event, token, ranges) => {
  const replace = (ownUrl) => tag(ownUrl, token);
  if (!ranges) return rewriteClipboard(event, replace);
  const selection = getSelection();
  const parts = selectedParts(selection, ranges);
  const trees = parts.map(selectedTrees).flat();
  const linkUrl = tagLinks(parts == ranges ? trees.slice(1) : trees, token);
  const showsUrl = trees.some((range) => String(range).toLowerCase().includes(HINT));
  return (showsUrl && writeSelection?.(event, selection, parts, trees[1], replace)) || linkUrl;
});
