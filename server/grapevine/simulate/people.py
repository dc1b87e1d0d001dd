"""User agents and the people who use them. The expected device and app of each are written by hand."""

from __future__ import annotations

from random import Random
from typing import Final, NamedTuple

from grapevine.simulate.random_draws import pick


class AgentString(NamedTuple):
    """A user-agent string, the device it names, and the app whose in-app browser it is."""

    text: str
    device: str
    app: str | None = None


class Person(NamedTuple):
    """A visitor with one browser at one address; ``opted_out`` by Global Privacy Control."""

    address: str
    agent: AgentString
    language: str
    opted_out: bool = False


_BLINK: Final = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0"
_WEBKIT: Final = "AppleWebKit/605.1.15 (KHTML, like Gecko)"
_WEBVIEW: Final = "AppleWebKit/537.36 (KHTML, like Gecko) Version/4.0 Chrome/141.0.7390.44 Mobile Safari/537.36"
_WINDOWS: Final = "Mozilla/5.0 (Windows NT 10.0; Win64; x64)"
_MAC: Final = "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7)"
_ANDROID: Final = "Mozilla/5.0 (Linux; Android 10; K)"
_GALAXY: Final = "Mozilla/5.0 (Linux; Android 14; SM-S918B Build/UP1A.231005.007; wv)"
_IPHONE: Final = f"Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) {_WEBKIT}"
_INSTAGRAM: Final = "Instagram 390.0.0.28.85 (iPhone14,5; iOS 18_6; en_GB; en; scale=3.00; 1170x2532; 756382719)"

BROWSERS: Final = (
    (22, AgentString(f"{_WINDOWS} {_BLINK} Safari/537.36", "desktop")),
    (5, AgentString(f"{_WINDOWS} {_BLINK} Safari/537.36 Edg/141.0.0.0", "desktop")),
    (5, AgentString("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0", "desktop")),
    (6, AgentString(f"{_MAC} {_BLINK} Safari/537.36", "desktop")),
    (7, AgentString(f"{_MAC} {_WEBKIT} Version/18.6 Safari/605.1.15", "desktop")),
    (2, AgentString("Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0", "desktop")),
    (25, AgentString(f"{_IPHONE} Version/18.6 Mobile/15E148 Safari/604.1", "phone")),
    (20, AgentString(f"{_ANDROID} {_BLINK} Mobile Safari/537.36", "phone")),
    (2, AgentString("Mozilla/5.0 (Android 14; Mobile; rv:144.0) Gecko/144.0 Firefox/144.0", "phone")),
    (4, AgentString(f"Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) {_WEBKIT} Version/18.6 Mobile/15E148 Safari/604.1",
              "tablet")),
    (2, AgentString(f"Mozilla/5.0 (Linux; Android 14; SM-X710) {_BLINK} Safari/537.36", "tablet")),
)  # fmt: skip

IN_APP: Final = {
    "facebook": AgentString(f"{_GALAXY} {_WEBVIEW} [FB_IAB/FB4A;FBAV/520.0.0.38.101;]", "phone", "facebook"),
    "messenger": AgentString(f"{_GALAXY} {_WEBVIEW} [FB_IAB/Orca-Android;FBAV/480.0.0.20.109;]", "phone", "messenger"),
    "instagram": AgentString(f"{_IPHONE} Mobile/15E148 {_INSTAGRAM}", "phone", "instagram"),
    "linkedin": AgentString(f"{_IPHONE} Mobile/15E148 [LinkedInApp]/9.31.3052", "phone", "linkedin"),
    "line": AgentString(f"{_IPHONE} Mobile/15E148 Safari Line/15.12.0", "phone", "line"),
}

DRIVEN: Final = AgentString(f"{_WINDOWS} {_BLINK.replace('Chrome', 'HeadlessChrome')} Safari/537.36", "desktop")
"""A browser that a program drives, and that says so."""

CRAWLERS: Final = tuple(
    AgentString(text, "unknown")
    for text in (
        "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)",
        "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)",
        "Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)",
        "Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)",
    )
)
"""Robots that name themselves and run the scripts of pages."""

PREVIEWERS: Final = {
    "slack": "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)",
    "whatsapp": "WhatsApp/2.25.21.82 A",
    "telegram": "TelegramBot (like TwitterBot)",
    "discord": "Mozilla/5.0 (compatible; Discordbot/2.0; +https://discordapp.com)",
    "teams": "Mozilla/5.0 (Windows NT 6.1; WOW64) SkypeUriPreview Preview/0.5",
    "facebook": "facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)",
    "linkedin": "LinkedInBot/1.0 (compatible; Mozilla/5.0; Apache-HttpClient +http://www.linkedin.com)",
    "x": "Twitterbot/1.0",
    "reddit": "Mozilla/5.0 (compatible; redditbot/1.0; +http://www.reddit.com/feedback)",
}
"""The preview robot of each app that has one."""

_LANGUAGES: Final = (
    (55, "en-GB,en;q=0.9"), (18, "de-DE,de;q=0.9,en;q=0.6"), (12, "fr-FR,fr;q=0.9"), (9, "es-ES,es;q=0.9"),
    (6, "pl-PL,pl;q=0.9"),
)  # fmt: skip
_NETWORKS: Final = (18, 19)
DATA_CENTRE: Final = "203.0.113"
"""The network (IPv4 /24) of programs."""


def person(random: Random, opted_out: bool = False) -> Person:
    """Returns a new visitor, at an address from the block reserved for tests (RFC 2544)."""
    address = f"198.{random.choice(_NETWORKS)}.{random.randrange(256)}.{random.randrange(1, 255)}"
    return Person(address, pick(random, BROWSERS), pick(random, _LANGUAGES), opted_out)


def machine(random: Random, agent: AgentString) -> Person:
    """Returns a program with that agent, at an address reserved for documentation (RFC 5737)."""
    return Person(f"{DATA_CENTRE}.{random.randrange(1, 255)}", agent, "en-US,en;q=0.9")
