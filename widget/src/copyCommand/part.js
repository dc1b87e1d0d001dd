import {createElement} from '../dom.js';

/**
 * Entry of the part for browsers without `navigator.clipboard`, which is missing on plain http: a hidden field and the
 * old `copy` command. Call it within a click.
 * @param {string} [value] without it, nothing is done
 * @returns {boolean} whether it was copied
 */
export const start = (value) => {
  if (!value) return false;
  const field = createElement('textarea', {value});
  field.dataset.grapevineIgnore = ''; // the URL is tagged already; the copy handler must not report it again
  field.style.position = 'fixed';
  document.body.append(field);
  field.select();
  const copied = document.execCommand('copy');
  field.remove();
  return copied;
};
