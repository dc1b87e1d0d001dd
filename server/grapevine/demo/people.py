"""Who reads the demo site, on what, coming from where, and how they pass it on. Weights are parts of their column."""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple, TypeVar

Choice = TypeVar("Choice")


class Reader(NamedTuple):
    """One person with one browser."""

    address: str
    agent: str
    language: str


class Page(NamedTuple):
    """A page of the demo site: its path and its title."""

    path: str
    title: str


class Source(NamedTuple):
    """Where a first visit comes from: the referrer, and what its link adds to the page's URL."""

    referrer: str = ""
    query: str = ""


class Manner(NamedTuple):
    """How one channel is used: the referrer that its readers come with, and the preview robots that see its links."""

    weight: int
    referrer: str = ""
    robots: tuple[str, ...] = ()


PAGES: Final = (
    (30, Page("/articles/family-tree-of-a-jar/", "The family tree of a jar · Lees")),
    (18, Page("/articles/the-wine-that-went-wrong/", "The wine that went wrong · Lees")),
    (15, Page("/", "Lees · bread, wine and other patient things")),
    (11, Page("/articles/bread-on-the-night-train/", "Bread on the night train · Lees")),
    (8, Page("/articles/sixty-one-per-cent/", "Sixty-one per cent · Lees")),
    (6, Page("/docs/", "The recipe format · Lees")),
    (5, Page("/articles/a-cellar-by-ear/", "A cellar, by ear · Lees")),
    (3, Page("/app/", "The almanac · Lees")),
    (2, Page("/routes/", "The wine list · Lees")),
    (2, Page("/signup/", "The letter · Lees")),
)

SOURCES: Final = (
    (34, Source()),
    (26, Source("https://www.google.com/")),
    (4, Source("https://www.bing.com/")),
    (4, Source("https://duckduckgo.com/")),
    (5, Source("https://t.co/Q8fJ2sKxLm")),
    (5, Source("https://l.facebook.com/")),
    (4, Source("https://www.reddit.com/")),
    (3, Source("https://news.ycombinator.com/")),
    (3, Source("https://bsky.app/")),
    (6, Source(query="?utm_source=letter&utm_medium=email&utm_campaign=issue-14")),
    (2, Source("https://mail.google.com/")),
    (2, Source("android-app://com.slack/")),
    (2, Source("https://baker.example/blogroll/")),
)

_BLINK: Final = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
_WEBKIT: Final = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_WINDOWS: Final = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
_MAC: Final = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
_ANDROID: Final = "Mozilla/5.0 (Linux; Android 10; K)"
_IPHONE: Final = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {_WEBKIT}"
_IPAD: Final = f"Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) {_WEBKIT}"
_SAFARI_PHONE: Final = "Version/18.6 Mobile/15E148 Safari/604.1"
_INSTAGRAM: Final = "Instagram 390.0.0.28.85 (iPhone14,5; iOS 18_6; en_GB; en; scale=3.00; 1170x2532; 756382719)"
_FACEBOOK_APP: Final = "[FBAN/FBIOS;FBAV/520.0.0.38.101;FBBV/756351453;FBDV/iPhone15,2;FBMD/iPhone;FBSN/iOS;FBSV/18.6]"

AGENTS: Final = (
    (24, f"{_WINDOWS} {_BLINK} Safari/537.36"),
    (5, f"{_WINDOWS} {_BLINK} Safari/537.36 Edg/141.0.0.0"),
    (6, "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0"),
    (8, f"{_MAC} {_WEBKIT} Version/18.6 Safari/605.1.15"),
    (2, "Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0"),
    (24, f"{_IPHONE} {_SAFARI_PHONE}"),
    (16, f"{_ANDROID} {_BLINK} Mobile Safari/537.36"),
    (4, f"{_IPAD} {_SAFARI_PHONE}"),
    (2, f"Mozilla/5.0 (Linux; Android 14; SM-X710) {_BLINK} Safari/537.36"),
    (3, f"{_IPHONE} Mobile/15E148 {_INSTAGRAM}"),
    (3, f"{_IPHONE} Mobile/22G86 {_FACEBOOK_APP}"),
    (1, f"{_IPHONE} Mobile/15E148 [LinkedInApp]/9.31.3052"),
)

LANGUAGES: Final = ((60, "en-GB,en;q=0.9"), (18, "de-DE,de;q=0.9,en;q=0.6"), (12, "fr-FR,fr;q=0.9"), (10, "pl-PL,pl"))

ROBOTS: Final = (
    "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
    "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
    "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
)

_SLACK: Final = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"
_DISCORD: Final = "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)"
_TELEGRAM: Final = "TelegramBot (like TwitterBot)"
_WHATSAPP: Final = "WhatsApp/2.25.21.82 A"
_FACEBOOK: Final = "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)"
_LINKEDIN: Final = "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)"

CHANNELS: Final = {
    "copy": Manner(40, robots=(_SLACK, _WHATSAPP, _DISCORD)),
    "whatsapp": Manner(19, robots=(_WHATSAPP,)),
    "native": Manner(10, robots=(_WHATSAPP, _TELEGRAM)),
    "email": Manner(9, "https://mail.google.com/"),
    "telegram": Manner(5, robots=(_TELEGRAM,)),
    "sms": Manner(4),
    "facebook": Manner(4, "https://l.facebook.com/", (_FACEBOOK,)),
    "x": Manner(3, "https://t.co/Q8fJ2sKxLm", ("Twitterbot/1.0",)),
    "linkedin": Manner(3, "https://www.linkedin.com/", (_LINKEDIN,)),
    "reddit": Manner(1, "https://www.reddit.com/"),
    "bluesky": Manner(1, "https://bsky.app/"),
    "mastodon": Manner(1, "https://mastodon.social/"),
}

OPENINGS: Final = ((46, 0), (27, 1), (13, 2), (7, 3), (4, 4), (2, 6), (1, 11))
"""By how many people a shared link is opened: mostly nobody or one, now and then a whole group."""


def pick(random: Random, weighted: tuple[tuple[int, Choice], ...]) -> Choice:
    """One of the choices, as often as its weight says."""
    return random.choices([choice for _, choice in weighted], [weight for weight, _ in weighted])[0]


def reader(random: Random) -> Reader:
    """Somebody new, at an address from the block kept for tests (RFC 2544)."""
    address = f"198.{random.choice((18, 19))}.{random.randrange(256)}.{random.randrange(1, 255)}"
    return Reader(address, pick(random, AGENTS), pick(random, LANGUAGES))
