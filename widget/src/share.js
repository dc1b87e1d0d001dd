import {changed} from './changes.js';
import {linkOf} from './channels.js';
import {data, ENDPOINT} from './config.js';
import {emit} from './emit.js';
import {make} from './make.js';
import {post} from './post.js';
import {keep, tab} from './tab.js';
import {pageUrl, tag} from './url.js';
import {writeText} from './write.js';

/** This page's URL as the channel shares it: with the reader's own token, or plain while there is none. */
export function urlFor(channel) {
  const token = tab.tokens[channel];
  if (!token) return pageUrl();
  return data.link == 'short' ? ENDPOINT + 's/' + token : tag(pageUrl(), token);
}

/** Reports a share of `url` (untagged) and gets the token for the channel's next one. */
export async function report(channel, url) {
  const token = tab.tokens[channel];
  emit('share', {channel, url});
  if (!token) return;
  keep(token);
  const answer = await post('shares', {token, url, title: document.title});
  if (!answer?.next || tab.tokens[channel] != token) return;
  tab.tokens[channel] = answer.next;
  tab.own.push(answer.next);
  keep();
  changed();
}

/**
 * Shares this page. A channel that is a link opens it; any other, but `native`, copies the URL.
 * @returns {Promise<boolean>} whether it was shared, as far as a page can know
 */
export async function share(channel) {
  const page = pageUrl();
  const url = urlFor(channel);
  const link = linkOf(channel, url);
  try {
    if (channel == 'native') await navigator.share({title: document.title, url});
    else if (!link) await writeText(url);
    else make('a', {href: link, target: '_blank', rel: 'noopener'}).click();
  } catch {
    return false;
  }
  report(channel, page);
  return true;
}
