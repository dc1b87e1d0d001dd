import {CHANNELS} from 'grapevine:channels';
import {fetchJson} from './fetchJson.js';

/** Gets to know a channel. Those of the default buttons stand in the script; of any other its own file is fetched. */
export const loadChannel = async (channel) => ((CHANNELS[channel] ||= await fetchJson(channel).catch(() => [])));

/** What is known of a channel: the icon's path, its link, its colour under the pointer, its name. */
export const channelData = (channel) => (CHANNELS[channel]);

/** Where a click on the channel's button leads; undefined for a channel that is not a link: its button copies. */
export const channelLink = (channel, url) => (CHANNELS[channel][1]?.replace(/\$(.)/g, (_, what) => encodeURIComponent(what == 'u' ? url : document.title)));
