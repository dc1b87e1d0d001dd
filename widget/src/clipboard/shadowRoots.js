import {IGNORED_SELECTOR} from '../selection.js';

/** Returns the open shadow roots below a root, at any depth. Closed ones cannot be read. */
const shadowRootsIn = (root) =>
  [...root.querySelectorAll('*')].map(({shadowRoot}) => (shadowRoot ? [shadowRoot, ...shadowRootsIn(shadowRoot)] : [])).flat();

/**
 * Returns the selected parts of the page; their boundaries may lie in shadow roots, which a `Range` cannot tell.
 * @param {Selection} selection
 * @param {Range[]} ranges of the selection; they are its parts unless a boundary lies in a shadow root
 * @returns {AbstractRange[]}
 */
export const selectedParts = (selection, ranges) => {
  const [range] = ranges;
  const composed =
    range && !range.collapsed && document.contains(range.startContainer)
      ? []
      : selection.getComposedRanges?.({shadowRoots: shadowRootsIn(document)}) || [];
  return composed[0] ? composed : ranges;
};

/**
 * Returns what a part selects in each tree of nodes: in the document, and in the open shadow roots within.
 * @param {AbstractRange} part
 * @returns {Range[]} that of the document first
 */
export const selectedTrees = (part) => {
  const trees = [];
  const add = (root) => {
    const range = rangeIn(root, part);
    trees.push(range);
    for (const host of range.commonAncestorContainer.querySelectorAll?.('*') || [])
      if (host.shadowRoot && range.intersectsNode(host) && !host.closest(IGNORED_SELECTOR)) add(host.shadowRoot);
  };
  add(document);
  return trees;
};

/** Returns what a part selects in one tree. A boundary in the shadow of one of its elements is at that element. */
export const rangeIn = (root, {startContainer, startOffset, endContainer, endOffset}) => {
  const range = new Range();
  range.selectNodeContents(root);
  const start = closestIn(root, startContainer);
  const end = closestIn(root, endContainer);
  if (start == startContainer) range.setStart(start, startOffset);
  else if (start) range.setStartBefore(start);
  if (end == endContainer) range.setEnd(end, endOffset);
  else if (end) range.setEndAfter(end);
  return range;
};

/** Returns a node if it is in a tree, else the host in this tree that it is in the shadow of, if there is one. */
const closestIn = (root, node) => {
  while (node && node.getRootNode() != root) node = node.getRootNode().host;
  return node;
};
