const LABELS = {
  bar: 'Share this page',
  copy: 'Copy link',
  copied: 'Link copied',
  native: 'Share…',
  sms: 'SMS',
  whatsapp: 'WhatsApp',
  linkedin: 'LinkedIn',
};

/** What is written on the screen for a key or a channel. */
export function label(key) {
  return LABELS[key] || key[0].toUpperCase() + key.slice(1);
}
