import {pageTitle} from '../pageTitle.js';
import {CHANNELS} from 'grapevine:channels';
import {fetchJson} from './fetchJson.js';

/** Loads a channel's data. The default channels are part of this script; every other one has a file of its own. */
export const loadChannel = async (channel) => ((CHANNELS[channel] ||= await fetchJson(channel).catch(() => [])));

/**
 * Returns the data of a loaded channel.
 * @returns {string[]} path of the icon, template of the link, colour under the pointer, name; the last ones may be
 * missing
 */
export const channelData = (channel) => (CHANNELS[channel]);

/** Returns the URL that a channel's button opens: its template with URL (`$u`) and title (`$t`); undefined without. */
export const channelLink = (channel, url) =>
  CHANNELS[channel][1]?.replace('$u', encodeURIComponent(url)).replace('$t', encodeURIComponent(pageTitle()));
