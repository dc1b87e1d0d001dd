import {callPart} from '../lazyParts.js';
import {eraseVisit} from './eraseVisit.js';

/**
 * Entry of the forget part: `grapevine.forget()`.
 * @param {HTMLElement} [host] `<grapevine-forget>`; its button is drawn by a part of its own
 * @returns {Promise<boolean>} whether this tab's visit was erased
 */
export const start = async (host) => (host ? callPart('forgetButton', host) : (await eraseVisit()) == 'erased');
