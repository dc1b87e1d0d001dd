// The table of the widget's options: name, possible values, default.
// `attribute` options become data-* attributes, `property` options --grapevine-* properties; views stay here.

export const CHANNELS = new Map([
  ["native", "Share…"], ["copy", "Copy link"], ["whatsapp", "WhatsApp"], ["telegram", "Telegram"], ["email", "E-mail"],
  ["sms", "SMS"], ["signal", "Signal"], ["messenger", "Messenger"], ["slack", "Slack"], ["teams", "Teams"],
  ["discord", "Discord"], ["line", "LINE"], ["viber", "Viber"], ["wechat", "WeChat"], ["kakaotalk", "KakaoTalk"],
  ["snapchat", "Snapchat"], ["instagram", "Instagram"], ["qr", "QR code"], ["print", "Print"],
  ["x", "X"], ["facebook", "Facebook"], ["linkedin", "LinkedIn"], ["bluesky", "Bluesky"], ["mastodon", "Mastodon"],
  ["threads", "Threads"], ["reddit", "Reddit"], ["pinterest", "Pinterest"], ["hackernews", "Hacker News"],
  ["tumblr", "Tumblr"], ["vk", "VK"], ["xing", "XING"], ["weibo", "Weibo"], ["flipboard", "Flipboard"],
  ["pocket", "Pocket"],
]);

export const LANGUAGES = [
  "auto", "en", "ar", "bg", "cs", "da", "de", "el", "es", "fa", "fi", "fr", "he", "hi", "hu", "id", "it", "ja", "ko",
  "nb", "nl", "pl", "pt", "ro", "ru", "sk", "sv", "th", "tr", "uk", "vi", "zh",
];

const attribute = (name, label, kind, more) => ({ use: "attribute", name, label, kind, ...more });
const property = (name, label, kind, more) => ({ use: "property", name, label, kind, ...more });
const view = (use, label, values) => ({ use, name: use, label, kind: "choice", values, initial: values[0] });

const choice = (name, label, values, hint) => attribute(name, label, "choice", { values, initial: values[0], hint });
const text = (name, label, initial, pattern, hint) => attribute(name, label, "text", { initial, pattern, hint });
const colour = (name, label, suggestion) => property(name, label, "colour", { initial: "", suggestion });
const size = (name, label, initial, least, most) => property(name, label, "size", { initial, least, most });

export const GROUPS = [
  {
    name: "Buttons",
    options: [
      attribute("buttons", "Channels", "channels", { initial: "native copy whatsapp telegram email x facebook linkedin" }),
      choice("position", "Position", ["left", "right", "bottom", "inline", "none"], "Left and right on wide screens; a bar at the bottom on narrow ones."),
      choice("counts", "Counts", ["off", "on"], "How often the page was shared, private shares included."),
      text("follow", "Follow links", "", /^[^"<>]{0,200}$/, "Accounts, such as x:handle linkedin:company/acme"),
    ],
  },
  {
    name: "Looks",
    options: [
      choice("look", "Look", ["plain", "tiles", "labels"], "Quiet icons, tiles in the brands’ colours, icons with words."),
      choice("theme", "Theme", ["auto", "light", "dark"], "Auto follows the page, then the system."),
      attribute("lang", "Language", "language", { values: LANGUAGES, initial: "auto" }),
      size("size", "Size", 44, 24, 72),
      size("radius", "Radius", 14, 0, 36),
      colour("color", "Colour", "#7b1e4c"),
      colour("background", "Background", "#fdf6e3"),
      colour("accent", "Accent", "#4f46e5"),
    ],
  },
  {
    name: "Links",
    options: [
      choice("copy", "Copied links", ["links", "off"], "Puts the reader’s token into this site’s own links when they are copied."),
      choice("address-bar", "Address bar", ["off", "on"], "Keeps the reader’s own token in the address."),
      choice("link", "Buttons share", ["page", "short"], "The page’s own address, or a short link of the server."),
      text("param", "Token’s name", "gv", /^[A-Za-z][0-9A-Za-z_-]{0,15}$/, "The server has to know it too: site set KEY param=…"),
      choice("place", "Token’s place", ["auto", "fragment", "query"], "Sites with hash routes say query."),
      text("query", "Parameters of content", "", /^[^"<>]{0,200}$/, "No secrets, though their names look so. The server has to know them too: site set KEY query=…"),
      choice("clean", "Without tracking", ["on", "off"], "Shared addresses go without what only tracks, such as utm_source."),
      text("keep", "Parameters to keep", "", /^[^"<>]{0,200}$/, "They stay, although they are known to track. The server has to know them too: site set KEY keep=…"),
    ],
  },
  {
    name: "Privacy",
    options: [
      choice("consent", "Consent", ["granted", "required"], "Required: nothing is sent or stored before it is given."),
      choice("storage", "Memory", ["session", "local", "none"], "Of the tab; local also remembers shared tokens for 30 days."),
      choice("ignore", "Do not count", ["off", "on"], "For pages that know who opens them: on for people who are signed in, say."),
    ],
  },
  {
    name: "Around it",
    options: [
      choice("survey", "Survey", ["off", "#letter"], "Asks “how did you hear about us?” in the form that the selector finds."),
      text("forward", "Other analytics", "", /^[a-z ,]{0,100}$/, "They hear of shares and returns, never of tokens: plausible matomo umami posthog datalayer gtag"),
      text("element", "Elements begin with", "grapevine", /^(?=.{1,20}$)(?!xml)[a-z][a-z0-9]*(-[a-z0-9]+)*$/, "A name of your own stands on no blocker’s list."),
      text("endpoint", "Server to report to", "", /^[^\s"<>]{0,200}$/, "Empty: where the script came from."),
    ],
  },
];

const NARROW = matchMedia("(max-width: 43.99rem)").matches;
export const VIEWS = [view("width", "Width", NARROW ? ["phone", "desk"] : ["desk", "phone"]), view("scheme", "Scheme", ["system", "light", "dark"])];

export const OPTIONS = [...GROUPS.flatMap((group) => group.options), ...VIEWS];
