import {use} from '../lazyParts.js';
import {report, urlFor} from '../share.js';
import {pageUrl} from '../url.js';
import {know, linkOf} from './channels.js';
import {make} from '../dom.js';
import {writeText} from './writeClipboard.js';

/**
 * Shares this page. A channel that is a link opens it, some show a panel first; any other, but `native`, copies.
 * @returns {Promise<boolean>} whether it was shared, as far as a page can know
 */
export const share = async (channel) => {
  await know(channel);
  const page = pageUrl();
  const url = urlFor(channel);
  const link = linkOf(channel, url);
  try {
    if (/^(mastodon|qr|print)$/.test(channel)) return await use('panel', channel);
    if (channel == 'native') await navigator.share({title: document.title, url});
    else if (!link) await writeText(url);
    else make('a', {href: link, target: '_blank', rel: 'noopener'}).click();
  } catch {
    return false;
  }
  report(channel, page);
  return true;
};
