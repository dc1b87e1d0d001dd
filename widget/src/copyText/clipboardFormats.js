import {createStyleSheet} from '../styleSheet.js';

/** Whether this is Firefox, which builds the HTML of a copy differently from the other engines. */
export const GECKO = CSS.supports('-moz-appearance:none');

/** Whether this is Chromium, which copies the text that form fields show. */
export const BLINK = Intl.v8BreakIterator;

/** The attributes whose URLs the browser makes absolute in a copy. */
const URL_ATTRIBUTES = ['href', 'src', 'poster', ...(GECKO ? [] : ['cite'])];

/** The blocks that the browser copies along when the selection lies inside one: H1 LI OL UL PRE TABLE TBODY TR … */
const COPIED_ANCESTORS = GECKO ? /^(H\d|PRE|T(?!D|H$).+)$/ : /^(H\d|PRE|LI|[UO]L|T(?!D|H$).+)$/;

/** Elements that are created here run no code of the page and load nothing. */
export const inertDocument = document.implementation.createHTMLDocument('');

/**
 * Returns the selected text as the browser copies it: as it is written. `String(selection)` is what `text-transform`
 * shows, so that is switched off for the moment.
 */
export const plainTextOf = (selection) => {
  document.adoptedStyleSheets.push(createStyleSheet('*{text-transform:none!important}'));
  const text = String(selection);
  document.adoptedStyleSheets.pop();
  return text;
};

/** Returns a copy of an element without its content, with absolute URLs. */
export const copyElement = (element) => {
  const copy = inertDocument.importNode(element);
  for (const name of URL_ATTRIBUTES)
    if (element.hasAttribute(name) && element[name].trim) copy.setAttribute(name, element[name]);
  return copy;
};

/** Puts the ancestors that the browser copies along, blocks and inline ones, around the content of a box. */
export const addAncestors = (box, ancestor) => {
  while (ancestor?.tagName && (COPIED_ANCESTORS.test(ancestor.tagName) || getComputedStyle(ancestor).display == 'inline')) {
    const wrapper = copyElement(ancestor);
    wrapper.append(...box.childNodes);
    box.append(wrapper);
    ancestor = ancestor.parentElement;
  }
};
