import {config} from '../config.js';
import {callPart, hasStickyBar} from '../lazyParts.js';
import {drawButtons} from './buttons.js';
import {shareVia} from './shareVia.js';
import {showStickyBar} from './stickyBar.js';

/** Brings an element of the widget to life, or shares through a channel, or does what the script element asks for. */
export const start = (host, channel) => {
  if (channel) return shareVia(channel);
  if (/buttons$/.test(host?.localName)) return drawButtons(host);
  if (host) return callPart(host.localName.split('-').pop(), host);
  if (hasStickyBar()) showStickyBar();
  if (config.survey) callPart('survey');
};
