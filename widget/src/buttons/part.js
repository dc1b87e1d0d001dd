import {config} from '../config.js';
import {mayCollect} from '../consentState.js';
import {callPart, hasStickyBar} from '../lazyParts.js';
import {pageTitle} from '../pageTitle.js';
import {tab} from '../tabStorage.js';
import {drawButtons} from './buttons.js';
import {shareVia} from './shareVia.js';
import {showStickyBar} from './stickyBar.js';

// What the script element asks for, once the part is there.
if (hasStickyBar()) showStickyBar();
if (config.survey) callPart('survey');
if (mayCollect() === 0) callPart('ignore');
// Single-page apps often set the title of the first page after they have loaded.
setTimeout(() => tab.visit && tab.landing?.title != pageTitle() && callPart('lateTitle'), 3e3);

/**
 * Entry of the buttons' part. Without arguments it does nothing.
 * @param {HTMLElement} [host] an element of the widget to draw; another part draws those that are not buttons
 * @param {string} [channel] a channel to share this page through
 */
export const start = (host, channel) => {
  if (channel) return shareVia(channel);
  if (/buttons$/.test(host?.localName)) {
    // A copy of the sticky bar goes: from HTML that the page read and wrote again, or a router's snapshot of the body.
    return hasStickyBar() && !host.removed && host.hasAttribute('position') ? host.remove() : drawButtons(host);
  }
  if (host) return callPart(host.localName.split('-').pop(), host);
};
