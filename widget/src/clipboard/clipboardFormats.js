import {createStyleSheet} from '../styleSheet.js';

/** Whether this is Firefox, which builds the HTML of a copy differently from the other engines. */
const GECKO = CSS.supports('-moz-appearance:none');

/** The attributes whose URLs the browser makes absolute in a copy. */
const URL_ATTRIBUTES = ['href', 'src', 'poster', ...(GECKO ? [] : ['cite'])];

/** The blocks that the browser copies along when the selection lies inside one: H1 LI OL UL PRE TABLE TBODY TR … */
const COPIED_ANCESTORS = GECKO ? /^(H\d|PRE|T(?!D|H$).+)$/ : /^(H\d|PRE|LI|[UO]L|T(?!D|H$).+)$/;

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

/** Returns a range as HTML as the browser copies it: visible elements, absolute URLs, the inline elements around it. */
export const htmlOf = (range) => {
  const root = range.commonAncestorContainer;
  let ancestor = root.nodeType == 1 ? root : root.parentElement;
  const originals = [...ancestor.querySelectorAll('*')].filter((element) => range.intersectsNode(element));
  let content = range.cloneContents();
  content.querySelectorAll('*').forEach((copy, i) => {
    const {display, userSelect} = getComputedStyle(originals[i]);
    if (display == 'none' || userSelect == 'none') copy.remove();
    makeUrlsAbsolute(copy);
  });
  while (COPIED_ANCESTORS.test(ancestor.tagName) || getComputedStyle(ancestor).display == 'inline') {
    const wrapper = makeUrlsAbsolute(ancestor.cloneNode());
    wrapper.append(content);
    content = wrapper;
    ancestor = ancestor.parentElement;
  }
  const box = document.createElement('div');
  box.append(content);
  return box.innerHTML;
};

const makeUrlsAbsolute = (element) => {
  for (const name of URL_ATTRIBUTES)
    if (element.hasAttribute(name) && element[name].trim) element.setAttribute(name, element[name]);
  return element;
};
