import {SECRET_NAME, SECRET_VALUE} from 'grapevine:secrets';
import {config} from '../config.js';

const NAME_PATTERN = new RegExp(SECRET_NAME, 'i');
const VALUE_PATTERN = new RegExp(SECRET_VALUE);

/**
 * Returns whether the server leaves something out of a URL before it stores it, because it looks like a secret: as
 * server/grapevine/domain/url_secrets.py does, which reads the same patterns. Parameters in `data-query` and `data-keep` stay.
 */
export const showsSecret = (url) => {
  const parsed = new URL(url);
  // A change of `searchParams` spells all of the query anew: `?token`, which holds nothing, as `?token=`.
  for (const name of [config.query, config.keep].join(' ').match(/[^\s,]+/g) || []) if (parsed.searchParams.has(name)) parsed.searchParams.delete(name);
  let text = parsed.pathname + parsed.search;
  // A URL may be the value of a parameter, and so be encoded again.
  for (let level = 0; level < 3; level++) {
    text = text.replace(/%([\da-f]{2})/gi, (_, hex) => String.fromCharCode('0x' + hex));
    if (NAME_PATTERN.test(text.replace(/[a-z](?=[A-Z])|[A-Z](?=[A-Z][a-z])/g, '$&_')) || VALUE_PATTERN.test(text)) return true;
  }
  return false;
};
