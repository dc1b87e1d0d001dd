import {config, ENDPOINT} from './config.js';
import {emit} from './emit.js';
import {notifyChange} from './onChange.js';
import {post} from './outbox.js';
import {saveTab, tab} from './tabStorage.js';
import {pageUrl, tag} from './url.js';

/** This page's URL as the channel shares it: with the reader's own token, or plain while there is none. */
export const shareUrl = (channel) => {
  const token = tab.tokens[channel];
  if (!token) return pageUrl();
  return config.link == 'short' ? ENDPOINT + 's/' + token : tag(pageUrl(), token);
};

/** Reports a share of `url` (untagged) and gets the token for the channel's next one. */
export const reportShare = async (channel, url) => {
  const token = tab.tokens[channel];
  emit('share', {channel, url});
  if (!token) return;
  const answer = await post('shares', {token, url, title: document.title});
  if (!answer.next || tab.tokens[channel] != token) return;
  tab.own += tab.tokens[channel] = answer.next;
  saveTab();
  notifyChange();
};
