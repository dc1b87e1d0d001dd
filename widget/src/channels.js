/** Channels that are a link: name → URL, in which `$u` stands for the shared URL and `$t` for the title. */
const LINKS = {
  whatsapp: 'https://wa.me/?text=$t%20$u',
  telegram: 'https://t.me/share/url?url=$u&text=$t',
  email: 'mailto:?subject=$t&body=$u',
  sms: 'sms:?&body=$t%20$u',
  x: 'https://x.com/intent/post?url=$u&text=$t',
  facebook: 'https://www.facebook.com/sharer/sharer.php?u=$u',
  linkedin: 'https://www.linkedin.com/sharing/share-offsite/?url=$u',
  reddit: 'https://www.reddit.com/submit?url=$u&title=$t',
  bluesky: 'https://bsky.app/intent/compose?text=$t%20$u',
  mastodon: 'https://share.joinmastodon.org/#text=$t%20$u',
};

const BRANDS = {
  whatsapp: '#128c4b',
  telegram: '#1d8ac4',
  x: '#000',
  facebook: '#0866ff',
  linkedin: '#0a66c2',
  reddit: '#d93900',
  bluesky: '#0a6cff',
  mastodon: '#6364ff',
};

/** The channels that a visit always asks tokens for. */
export const CHANNELS = ['copy', 'native', ...Object.keys(LINKS)];

/** Where a click on the channel's button leads; undefined for a channel that is not a link: its button copies. */
export function linkOf(channel, url) {
  return LINKS[channel]?.replace(/\$(.)/g, (_, what) => encodeURIComponent(what == 'u' ? url : document.title));
}

/** The colour that a channel's button takes under the pointer. */
export function brandOf(channel) {
  return BRANDS[channel];
}
