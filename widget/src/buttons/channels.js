import {KINDS} from 'grapevine:kinds';
import {dataFile} from './fetchJson.js';

/** Gets to know a channel. Those of the default buttons stand in the script; of any other its own file is fetched. */
export const know = async (channel) => ((KINDS[channel] ||= await dataFile(channel).catch(() => [])));

/** What is known of a channel: the icon's path, its link, its colour under the pointer, its name. */
export const kindOf = (channel) => (KINDS[channel]);

/** Where a click on the channel's button leads; undefined for a channel that is not a link: its button copies. */
export const linkOf = (channel, url) => (KINDS[channel][1]?.replace(/\$(.)/g, (_, what) => encodeURIComponent(what == 'u' ? url : document.title)));
