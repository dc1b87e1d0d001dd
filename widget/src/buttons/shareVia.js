import {createElement} from '../dom.js';
import {callPart} from '../lazyParts.js';
import {reportShare, shareUrl} from '../share.js';
import {pageUrl} from '../url.js';
import {channelLink, loadChannel} from './channels.js';
import {writeClipboard} from './writeClipboard.js';

/**
 * Shares this page. A channel that is a link opens it, some show a panel first; any other, but `native`, copies.
 * @returns {Promise<boolean>} whether it was shared, as far as a page can know
 */
export const shareVia = async (channel) => {
  await loadChannel(channel);
  const page = pageUrl();
  const url = shareUrl(channel);
  const link = channelLink(channel, url);
  try {
    if (/^(mastodon|qr|print)$/.test(channel)) return await callPart('panel', channel);
    if (channel == 'native') await navigator.share({title: document.title, url});
    else if (!link) await writeClipboard(url);
    else createElement('a', {href: link, target: '_blank', rel: 'noopener'}).click();
  } catch {
    return false;
  }
  reportShare(channel, page);
  return true;
};
