import {emit} from '../emit.js';
import {warn} from '../guard.js';
import {trackPage} from '../visit.js';

/** Kinds of refusal that the console has a sentence of. */
const explained = {};

/**
 * Entry of the part for responses by which the server takes no report: a DOM event, and in the console the server's
 * own sentence for people, which says what it refused, why, and what to do. A proxy's refusal has none.
 * @param {Response} response
 */
export const start = async (response) => {
  emit('drop', {reason: response.headers.get('Grapevine-Dropped')});
  const {code, detail} = await response.json().catch(() => ({}));
  // Of the whole site, not of this page: its other routes would be refused, too.
  if (/site|origin/.test(code)) trackPage.refused = true;
  if (detail) explained[code] ||= !warn(detail);
};
