/** Channels that are a link: name → URL, in which `$u` stands for the shared URL and `$t` for the title; brand colour. */
const LINKS = {
  whatsapp: 'https://wa.me/?text=$t%20$u #128c4b',
  telegram: 'https://t.me/share/url?url=$u&text=$t #1d8ac4',
  email: 'mailto:?subject=$t&body=$u',
  sms: 'sms:?&body=$t%20$u',
  x: 'https://x.com/intent/post?url=$u&text=$t #000',
  facebook: 'https://www.facebook.com/sharer.php?u=$u #0866ff',
  linkedin: 'https://www.linkedin.com/sharing/share-offsite/?url=$u #0a66c2',
  reddit: 'https://reddit.com/submit?url=$u&title=$t #d93900',
  bluesky: 'https://bsky.app/intent/compose?text=$t%20$u #0a6cff',
  mastodon: 'https://share.joinmastodon.org/#text=$t%20$u #6364ff',
};

/** The channels that a visit always asks tokens for. */
export const CHANNELS = ['copy', 'native', ...Object.keys(LINKS)];

/** Where a click on the channel's button leads; undefined for a channel that is not a link: its button copies. */
export function linkOf(channel, url) {
  return LINKS[channel]?.split(' ')[0].replace(/\$(.)/g, (_, what) => encodeURIComponent(what == 'u' ? url : document.title));
}

/** The colour that a channel's button takes under the pointer; empty for the site's accent. */
export function brandOf(channel) {
  return LINKS[channel]?.split(' ')[1] || '';
}
