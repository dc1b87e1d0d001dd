import {createElement} from '../dom.js';
import {ELEMENT_PREFIX} from '../lazyParts.js';
import {reportBriefly} from '../panel/reportBriefly.js';
import {shareUrl} from '../share.js';
import {createStyleSheet} from '../styleSheet.js';
import {pageUrl} from '../url.js';

const PRINT_SHEET = createStyleSheet(':host{display:none}@media print{:host{display:block;font:12pt system-ui;overflow-wrap:anywhere}}');

/**
 * Entry of the part for printing: prints the page with the tagged URL at its end.
 * @returns {Promise<boolean>} true: a page cannot know what became of the dialog
 */
export const start = async () => {
  const url = shareUrl('print');
  await reportBriefly('print', pageUrl());
  const line = createElement(ELEMENT_PREFIX + '-print');
  const root = line.attachShadow({mode: 'open'});
  root.adoptedStyleSheets = [PRINT_SHEET];
  root.append(url);
  document.body.append(line);
  window.print();
  line.remove();
  return true;
};
