/** Dispatches the DOM event `grapevine:NAME` on the document. */
export const emit = (name, detail) => document.dispatchEvent(new CustomEvent('grapevine:' + name, {detail}));
