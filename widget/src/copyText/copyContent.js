import {rangeIn} from '../clipboard/shadowRoots.js';
import {BLINK, GECKO, addAncestors, copyElement, inertDocument} from './clipboardFormats.js';

/** Elements whose content is shown only where they cannot work; Firefox copies it in any case. */
const WITH_FALLBACK = /^(NOSCRIPT|CANVAS|VIDEO|AUDIO|METER|PROGRESS|TEXTAREA)$/;

/**
 * @typedef {object} Content what is selected, as it is shown: with the content of open shadow roots, without what is
 *   hidden
 * @property {string} html as the browser copies it: absolute URLs, the inline elements around it
 * @property {string} text with a line for each block
 * @property {string} bare the text without white space
 * @property {[number, Element][]} pieces for each text node its position in `bare` and its element
 * @property {boolean} [differs] whether `String(selection)` may be another text than the browser copies
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
  const addBare = (text, element) => {
    content.pieces.push([content.bare.length, element]);
    content.bare += text.replace(/\s/g, '');
  };
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
        addBare(text, node.parentElement || node.getRootNode().host);
        content.text += /^(pre|br)/.test(whiteSpace) ? text : text.replace(/[ \t\n]+/g, ' ');
        target.append(text);
      }
      if (node == endContainer) state = 2;
      return;
    }
    // Not of hidden content: Chromium would then take it for text that is selected.
    const style = target ? getComputedStyle(node) : {};
    const {display, userSelect, float, position, contentVisibility} = style;
    const isInline = /^(inline|contents|ruby)/.test(display) || float != 'none' || /^(abs|fix)/.test(position);
    const copy = target && display != 'none' && userSelect != 'none' && !node.inert && copyElement(node);
    const breaks = isInline && node.tagName != 'BR' ? '' : '\n';
    if (state) content.text += breaks;
    const inner = node.shadowRoot || node;
    const field = BLINK && copy && state && fieldText(node);
    const isClosed = node.matches('details:not([open])');
    const hidden = contentVisibility == 'hidden' || (!GECKO && WITH_FALLBACK.test(node.tagName));
    if (field || isClosed) content.differs = true;
    if (field) {
      content.text += '\n' + field + '\n';
      addBare(field, node);
      copy.append(...inertDocument.importNode(node, true).children);
    } else
      for (const child of slotted(inner))
        copyNode(child, !hidden && (child.tagName == 'SUMMARY' || !isClosed) && copy, style);
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

/** Returns the text that a form field shows, as the browser copies it; nothing for other elements. */
const fieldText = ({type, value, placeholder, selectedOptions}) =>
  (/^(text|search|tel|url|email|number|password)/.test(type)
    ? (type == 'password' ? value.replace(/./g, '•') : value) || placeholder
    : selectedOptions?.[0]?.text);

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
