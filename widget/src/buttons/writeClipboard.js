import {createElement} from '../dom.js';

/**
 * Writes text to the clipboard. Call it within a click. On plain http there is no `navigator.clipboard`, and a
 * permissions policy may forbid it; then a hidden field and the old `copy` command do it. Throws if both fail.
 */
export const writeClipboard = async (value) => {
  try {
    await navigator.clipboard.writeText(value);
  } catch {
    const field = createElement('textarea', {value});
    field.dataset.grapevineIgnore = ''; // the URL is tagged already; the copy handler must not report it again
    field.style.position = 'fixed';
    document.body.append(field);
    field.select();
    const copied = document.execCommand('copy');
    field.remove();
    if (!copied) throw 0;
  }
};
