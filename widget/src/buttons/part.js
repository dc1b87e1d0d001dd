import {data} from '../config.js';
import {hasBar, use} from '../lazyParts.js';
import {share} from './shareVia.js';
import {drawButtons} from './buttons.js';
import {stickyBar} from './stickyBar.js';

/** Brings an element of the widget to life, or shares through a channel, or does what the script element asks for. */
export const start = (host, channel) => {
  if (channel) return share(channel);
  if (/buttons$/.test(host?.localName)) return drawButtons(host);
  if (host) return use(host.localName.split('-').pop(), host);
  if (hasBar()) stickyBar();
  if (data.survey) use('survey');
};
