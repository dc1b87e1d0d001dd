import {callPart} from '../lazyParts.js';
import {reportShare, shareUrl} from '../share.js';
import {tab} from '../tabStorage.js';
import {pageUrl} from '../url.js';
import {createElement} from '../dom.js';
import {channelLink, loadChannel} from './channels.js';

/**
 * Shares this page through a channel and reports it. A channel with a link opens it, some show a panel first, `native`
 * opens the browser's dialog, and any other copies the URL.
 * @param {string} channel
 * @param {() => void} [onCopied] tells the reader: unlike a dialog or a panel, the clipboard shows nothing
 * @returns {Promise<boolean>} whether it was shared, as far as a page can know; false when the reader cancels
 */
export const shareVia = async (channel, onCopied) => {
  await loadChannel(channel);
  // Read before the dialog: while it is open, the route may change and the visit may end.
  const page = pageUrl();
  const url = shareUrl(channel);
  const link = channelLink(channel, url);
  const {session, tokens: {[channel]: token = ''}} = tab;
  const report = () => reportShare(channel, page, session, token);
  try {
    if (/^(mastodon|qr|print)$/.test(channel)) return await callPart(channel);
    // A short link leads to the page once the server has the report, so that goes first. Nothing waits for it: a
    // browser allows the clipboard and the dialog only within the click.
    if (shareUrl.tokenUrl) report();
    if (channel == 'native') await navigator.share({title: document.title, url});
    else if (link) createElement('a', {href: link, target: '_blank', rel: 'noopener'}).click();
    else await navigator.clipboard.writeText(url);
  } catch {
    // The reader cancels the dialog. The clipboard is missing on plain http, and a permissions policy may forbid it.
    if (channel == 'native' || !(await callPart('copyCommand', url))) return false;
  }
  if (!shareUrl.tokenUrl) report();
  if (channel != 'native') onCopied?.();
  return true;
};
