import {sheetOf} from '../styleSheet.js';

const GECKO = CSS.supports('-moz-appearance:none');

/** What a browser makes absolute in a copy. */
const ADDRESSES = ['href', 'src', 'poster', ...(GECKO ? [] : ['cite'])];

/** Blocks that are copied along when the selection lies within one of them: H1 LI OL UL PRE TABLE TBODY TR … */
const WRAPPERS = GECKO ? /^(H\d|PRE|T(?!D|H$).+)$/ : /^(H\d|PRE|LI|[UO]L|T(?!D|H$).+)$/;

/** The selected text as the browser copies it: as written, not as `text-transform` shows it. */
export const plainText = (selection) => {
  document.adoptedStyleSheets.push(sheetOf('*{text-transform:none!important}'));
  const text = String(selection);
  document.adoptedStyleSheets.pop();
  return text;
};

/** What a range holds as HTML, as the browser copies it: what is visible, absolute URLs, the inline elements around it. */
export const html = (range) => {
  const root = range.commonAncestorContainer;
  let around = root.nodeType == 1 ? root : root.parentElement;
  const originals = [...around.querySelectorAll('*')].filter((element) => range.intersectsNode(element));
  let content = range.cloneContents();
  content.querySelectorAll('*').forEach((copy, i) => {
    const {display, userSelect} = getComputedStyle(originals[i]);
    if (display == 'none' || userSelect == 'none') copy.remove();
    absolute(copy);
  });
  while (WRAPPERS.test(around.tagName) || getComputedStyle(around).display == 'inline') {
    const shell = absolute(around.cloneNode());
    shell.append(content);
    content = shell;
    around = around.parentElement;
  }
  const box = document.createElement('div');
  box.append(content);
  return box.innerHTML;
};

const absolute = (element) => {
  for (const name of ADDRESSES)
    if (element.hasAttribute(name) && element[name].trim) element.setAttribute(name, element[name]);
  return element;
};
