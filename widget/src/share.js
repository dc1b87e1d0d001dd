import {config} from './config.js';
import {pageTitle} from './pageTitle.js';
import {notifyChange} from './onChange.js';
import {cleanUrl, tag} from './url.js';
import {emit} from './emit.js';
import {saveTab, tab} from './tabStorage.js';
import {post} from './outbox.js';

/**
 * Returns the URL that a channel shares: this page with the channel's token, or without while there is none. With
 * `data-link="short"` the part for short links sets `shareUrl.tokenUrl`.
 */
export const shareUrl = (channel) => {
  const token = tab.tokens[channel];
  return token ? shareUrl.tokenUrl?.(token) || tag(location.href, token) : cleanUrl();
};

/**
 * Reports a share and stores the token for the channel's next share.
 *
 * The session proves that the sharer's own browser reports it: every recipient of the link holds the token. Both are
 * of one visit, so a share that ends later than its visit (a native dialog) passes those from before. The title is the
 * shared page's own: none is sent with the URL of another page.
 * @param {string} channel
 * @param {string} url the shared page without a token
 * @param {?string} [session] of the visit that the token is of
 * @param {string} [token] that was shared; empty if there was none
 */
export const reportShare = async (channel, url, session = tab.session, token = tab.tokens[channel]) => {
  emit('share', {channel, url: (url = cleanUrl(url))});
  if (!token) return;
  const {next} = await post('shares', {session, token, url, ...(url == cleanUrl() && {title: pageTitle()})});
  // Another report of the same channel, or another visit, may have replaced the token during the request.
  if (!next || tab.tokens[channel] != token) return;
  tab.ownTokens += tab.tokens[channel] = next;
  saveTab();
  notifyChange();
};
