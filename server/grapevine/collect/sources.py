"""Where a visit without a good share token comes from: campaign, referrer, in-app browser, or nobody knows.

Domains and Android packages come from the Snowplow referrer database (taken into ``built/data`` by build.py); the table
here holds only what that list lacks.
"""

from __future__ import annotations

import json
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, NamedTuple
from urllib.parse import urlsplit

from grapevine.sets import SOURCES
from grapevine.urls import Page, UrlError, origin_of, query_names

_CACHED: Final = 8_192
_CAMPAIGN_PARAMETERS: Final = frozenset({"utm_source", "utm_medium", "utm_campaign", "utm_id"})

# The database files messengers under "social"; which of its names are private channels is ours to say.
_MESSENGERS: Final = {
    "Slack": "slack", "Telegram": "telegram", "WhatsApp": "whatsapp", "Discord": "discord", "Signal": "signal",
    "Messenger": "messenger", "Facebook Messenger": "messenger", "Microsoft Teams": "teams", "Viber": "viber",
    "WeChat": "wechat", "LINE": "line", "KakaoTalk": "kakaotalk", "Skype": "skype", "Mattermost": "mattermost",
}  # fmt: skip

# What the database lacks (checked against its 2025-09 release): domain or package, medium, name.
_ADDED: Final = (
    ("teams.microsoft.com", "social", "Microsoft Teams"),
    ("teams.live.com", "social", "Microsoft Teams"),
    ("com.microsoft.teams", "social", "Microsoft Teams"),
    ("discord.com", "social", "Discord"),
    ("com.discord", "social", "Discord"),
    ("signal.me", "social", "Signal"),
    ("org.thoughtcrime.securesms", "social", "Signal"),
    ("messenger.com", "social", "Messenger"),
    ("com.facebook.orca", "social", "Messenger"),
    ("com.viber.voip", "social", "Viber"),
    ("com.tencent.mm", "social", "WeChat"),
    ("jp.naver.line.android", "social", "LINE"),
    ("com.kakao.talk", "social", "KakaoTalk"),
    ("bsky.app", "social", "Bluesky"),
    ("go.bsky.app", "social", "Bluesky"),
    ("mastodon.social", "social", "Mastodon"),
    ("mastodon.online", "social", "Mastodon"),
    ("threads.com", "social", "Threads"),
    ("x.com", "social", "Twitter"),
    ("com.microsoft.office.outlook", "email", "Outlook.com"),
    ("kagi.com", "search", "Kagi"),
    ("chatgpt.com", "search", "ChatGPT"),
    ("perplexity.ai", "search", "Perplexity"),
)

# Apps whose in-app browser is a private conversation; every other app's is a public network.
_PRIVATE_APPS: Final = frozenset(_MESSENGERS.values()) | {"snapchat"}


class Origin(NamedTuple):
    """``source`` is a code of ``sets.SOURCES``; ``app`` the messenger or network that the referrer itself named."""

    source: int
    app: str | None


def source_of(page: Page, url: str, referrer: str, app: str | None, origins: frozenset[str]) -> Origin:
    """Where a visit to ``page`` (opened as ``url``) comes from.

    ``referrer`` is the document's or an ``android-app://`` one, ``app`` the app whose in-app browser it runs in.
    """
    if _CAMPAIGN_PARAMETERS & query_names(url):
        return Origin(SOURCES["campaign"], app)
    if referrer:
        known = _from_referrer(referrer, origins)
        if known is not None:
            return Origin(known.source, app or known.app)
    if app is not None:
        return Origin(SOURCES["messenger" if app in _PRIVATE_APPS else "social"], app)
    return Origin(SOURCES["direct-home" if page.is_home else "direct-deep"], None)


@lru_cache(maxsize=_CACHED)
def _from_referrer(referrer: str, origins: frozenset[str]) -> Origin | None:
    """The source that a referrer names; None for one that cannot be read, which counts as none."""
    if referrer.startswith("android-app://"):
        package = referrer.removeprefix("android-app://").partition("/")[0].lower()
        found = _table().get(package)
        return Origin(found.source, found.app or package) if found else Origin(SOURCES["referral"], package)
    try:
        origin = origin_of(referrer)
    except UrlError:
        return None
    if origin in origins:
        return Origin(SOURCES["internal"], None)
    parts = urlsplit(referrer)
    host = (parts.hostname or "").removeprefix("www.")
    first = parts.path.split("/")[1] if "/" in parts.path else ""
    return _look_up(host, first) or Origin(SOURCES["referral"], None)


def _look_up(host: str, first: str) -> Origin | None:
    table = _table()
    labels = host.split(".")
    for cut in range(len(labels) - 1):
        domain = ".".join(labels[cut:])
        found = table.get(f"{domain}/{first}") or table.get(domain)
        if found is not None:
            return found
    return None


@cache
def _table() -> dict[str, Origin]:
    media = json.loads(files("grapevine").joinpath("built", "data", "referrers.json").read_text("utf-8"))
    known = [
        (domain, medium, name)
        for medium in ("unknown", "email", "social", "search", "paid")
        for domain, name in media[medium].items()
    ]
    return {domain.removeprefix("www."): _entry(medium, name) for domain, medium, name in (*known, *_ADDED)}


def _entry(medium: str, name: str) -> Origin:
    messenger = _MESSENGERS.get(name)
    if messenger:
        return Origin(SOURCES["messenger"], messenger)
    source = {"email": "email", "social": "social", "search": "search"}.get(medium, "referral")
    return Origin(SOURCES[source], None)
