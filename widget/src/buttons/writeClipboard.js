import {createElement} from '../dom.js';

/** Puts text on the clipboard, on plain http and in old browsers too. Call it within the click. */
export const writeClipboard = async (value) => {
  try {
    await navigator.clipboard.writeText(value);
  } catch {
    const field = createElement('textarea', {value});
    field.dataset.grapevineIgnore = '';
    field.style.position = 'fixed';
    document.body.append(field);
    field.select();
    const copied = document.execCommand('copy');
    field.remove();
    if (!copied) throw 0;
  }
};
