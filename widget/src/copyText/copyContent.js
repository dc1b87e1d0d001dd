import {rangeIn} from '../clipboard/shadowRoots.js';
import {addAncestors, copyElement, inertDocument} from './clipboardFormats.js';

/**
 * @typedef {object} Content what is selected, as it is shown: with the content of open shadow roots, without what is
 *   hidden
 * @property {string} html as the browser copies it: absolute URLs, the inline elements around it
 * @property {string} text with a line for each block
 * @property {string} bare the text without white space
 * @property {[number, Element][]} pieces for each text node its position in `bare` and its element
 * @property {boolean} [closed] whether something is missing, as it seems, because its shadow root is closed
 */

/**
 * Copies the selected content.
 * @param {AbstractRange[]} parts
 * @returns {Content}
 */
export const copyContent = (parts) => {
  const content = {html: '', text: '', bare: '', pieces: []};
  parts.forEach((part) => copyPart(part, content));
  return content;
};

const copyPart = (part, content) => {
  const {startContainer, startOffset, endContainer, endOffset} = part;
  // The first node that is selected, and the first that is not; undefined at the end of an element and in a text.
  const first = startContainer.childNodes[startOffset];
  const last = endContainer.childNodes[endOffset];
  /** 0 before the selection, 1 in it, 2 behind it. */
  let state = 0;

  const copyNode = (node, target, {visibility, whiteSpace}) => {
    if (node == first) state = 1;
    if (node == last) state = 2;
    const before = state;
    if (state > 1) return;
    if (node.nodeType != 1) {
      if (node == startContainer) state = 1;
      if (state && node.nodeType == 3 && target && visibility == 'visible') {
        const text = node.data.slice(
          node == startContainer ? startOffset : 0,
          node == endContainer ? endOffset : undefined,
        );
        content.pieces.push([content.bare.length, node.parentElement || node.getRootNode().host]);
        content.bare += text.replace(/\s/g, '');
        content.text += /^(pre|br)/.test(whiteSpace) ? text : text.replace(/[ \t\n]+/g, ' ');
        target.append(text);
      }
      if (node == endContainer) state = 2;
      return;
    }
    const style = getComputedStyle(node);
    const {display, userSelect, float, position} = style;
    const isInline = /^(inline|contents|ruby)/.test(display) || float != 'none' || /^(abs|fix)/.test(position);
    const copy = target && display != 'none' && userSelect != 'none' && copyElement(node);
    const breaks = isInline && node.tagName != 'BR' ? '' : '\n';
    if (state) content.text += breaks;
    const inner = node.shadowRoot || node;
    for (const child of slotted(inner)) copyNode(child, copy, style);
    if (!first && inner == startContainer) state = 1;
    if (!last && inner == endContainer) state = 2;
    if (state) content.text += breaks;
    if (copy && state && /-/.test(node.tagName) && !node.shadowRoot && node.getBoundingClientRect().width && !hasContentBox(node))
      content.closed = true;
    if (copy && (before || state)) target.append(copy);
  };

  const root = startContainer.getRootNode();
  const top = rangeIn(root == endContainer.getRootNode() ? root : document, part).commonAncestorContainer;
  const element = top.nodeType == 3 ? top.parentNode : top;
  const box = inertDocument.createElement('div');
  for (const node of element.childNodes)
    copyNode(node, box, getComputedStyle(element.nodeType == 1 ? element : element.host || document.body));
  addAncestors(box, element);
  content.html += box.innerHTML;
};

/** Returns the nodes that are shown inside a node: those that are assigned to a slot, else its own. */
const slotted = (node) => {
  const assigned = node.assignedNodes?.() || [];
  return assigned[0] ? assigned : node.childNodes;
};

/** Returns a true value if something is shown of an element's own content. */
const hasContentBox = (element) => {
  const content = new Range();
  content.selectNodeContents(element);
  return content.getClientRects()[0];
};
