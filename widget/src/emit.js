import {config} from './config.js';
import {callPart} from './lazyParts.js';

/** Dispatches the DOM event `grapevine:NAME` on the document, and tells the part for the page's other analytics. */
export const emit = (name, detail) => {
  document.dispatchEvent(new CustomEvent('grapevine:' + name, {detail}));
  if (config.forward) callPart('forward', name, detail);
};
