/** The channels that a visit always asks tokens for; the first eight are the buttons of a page that names none. */
export const DEFAULT_CHANNELS = 'native copy whatsapp telegram email x facebook linkedin sms reddit bluesky mastodon';

/** The channels named in attributes. */
export const parseChannels = (...texts) => String(texts).match(/\w+/g) || [];
