/** The channels of a page that names none: it requests tokens for all of them, and the first eight have buttons. */
export const DEFAULT_CHANNELS = 'native copy whatsapp telegram email x facebook linkedin sms reddit bluesky mastodon';

/** Splits the channel names of attributes. */
export const parseChannels = (...texts) => String(texts).match(/\w+/g) || [];
