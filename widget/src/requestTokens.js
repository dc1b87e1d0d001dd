import {tab} from './tabStorage.js';
import {reportVisit, requestedChannels, trackPage} from './visit.js';

/**
 * Requests tokens for more channels: the visit's report is repeated, if some of them are missing. Parts alone do this, so
 * this module is in those that need it and not in the script.
 * @param {string[]} channels
 */
export const requestTokens = async (channels) => {
  channels.forEach(requestedChannels.add, requestedChannels);
  await trackPage.pending;
  if (tab.visit && channels.some((channel) => !tab.tokens[channel])) return reportVisit();
};
