"""What a user-agent string tells: robot or not, device, and the app whose in-app browser or preview robot it is.

Robots come from ``crawler-user-agents``, in-app browsers from ``ua-parser``; the tables here hold only what those two
lack or name otherwise. Nothing of the string is ever stored.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, NamedTuple

from ua_parser import parse_user_agent

from grapevine.channels import CODES
from grapevine.sets import DEVICES

_LONGEST: Final = 512
_CACHED: Final = 8_192
_CHUNK: Final = 50

# An agent that only drives a real browser is a suspect, to be judged by what it does, not a robot that names itself.
_SUSPECT: Final = "browser-automation"
_PREVIEW: Final = "social-preview"

# ua-parser's family → our name, where the two differ.
_FAMILIES: Final = {
    "Facebook": "facebook", "Facebook Messenger": "messenger", "Instagram": "instagram", "LINE": "line",
    "WeChat Browser": "wechat", "WeChat": "wechat", "Snapchat": "snapchat", "Pinterest": "pinterest", "Twitter": "x",
    "TikTok": "tiktok", "Telegram": "telegram", "Microsoft Teams": "teams", "WhatsApp": "whatsapp",
}  # fmt: skip

# In-app browsers that ua-parser takes for the system's own browser; each mark is what the app writes into its agent.
_MARKS: Final = (
    ("Barcelona ", "threads"),  # Threads for iOS
    ("LinkedInApp", "linkedin"),
    ("FB_IAB/Orca", "messenger"),  # Messenger for Android
    ("KAKAOTALK", "kakaotalk"),
    ("Slack/", "slack"),
    ("Viber/", "viber"),
    ("Discord/", "discord"),
    ("MattermostMobile", "mattermost"),
)

# Preview robots whose pattern does not contain the name of the app that sends them.
_PREVIEWERS: Final = {"Twitterbot": "x", "SkypeUriPreview": "teams", "facebookexternalhit": "facebook", "vkShare": "vk"}

# Preview robots that the list lacks, in its own form.
_ADDED: Final = ({"pattern": "Bluesky Cardyb", "tags": [_PREVIEW]},)

_TABLET: Final = re.compile(r"iPad|Tablet|^(?!.*Mobile).*Android")
_PHONE: Final = re.compile(r"Mobi|iPhone|iPod")
_DESKTOP: Final = re.compile(r"Windows NT|Macintosh|X11|CrOS")


class Agent(NamedTuple):
    """``robot``: names itself as one. ``preview``: the app whose preview robot it is. ``app``: whose in-app browser.

    ``suspect``: a real browser that says it is driven by a program. ``device`` is a code of ``sets.DEVICES``.
    """

    robot: bool
    preview: str | None
    suspect: bool
    app: str | None
    device: int


class _Crawler(NamedTuple):
    pattern: re.Pattern[str]
    suspect: bool
    preview: str | None


@lru_cache(maxsize=_CACHED)
def read_agent(user_agent: str) -> Agent:
    """What the string tells; an empty one is a robot, since every browser sends one."""
    text = user_agent[:_LONGEST]
    app = _app(text)
    crawler = _crawler(text)
    device = _device(text)
    if crawler is None:
        return Agent(not text, None, suspect=False, app=app, device=device)
    if crawler.suspect or (crawler.preview is not None and app is not None and text.startswith("Mozilla/5.0 (")):
        return Agent(robot=False, preview=None, suspect=crawler.suspect, app=app, device=device)
    return Agent(robot=True, preview=crawler.preview, suspect=False, app=None, device=device)


def _crawler(text: str) -> _Crawler | None:
    """The first crawler whose pattern matches that is more than a suspect, else a suspect, else None."""
    suspect = None
    for whole, members in _crawlers():
        if whole.search(text):
            for crawler in members:
                if crawler.pattern.search(text):
                    if not crawler.suspect:
                        return crawler
                    suspect = crawler
    return suspect


@cache
def _crawlers() -> list[tuple[re.Pattern[str], list[_Crawler]]]:
    entries = json.loads(files("crawleruseragents").joinpath("crawler-user-agents.json").read_text("utf-8"))
    crawlers = [_read_entry(entry) for entry in (*entries, *_ADDED)]
    chunks = [crawlers[start : start + _CHUNK] for start in range(0, len(crawlers), _CHUNK)]
    return [(re.compile("|".join(f"(?:{crawler.pattern.pattern})" for crawler in chunk)), chunk) for chunk in chunks]


def _read_entry(entry: Mapping[str, object]) -> _Crawler:
    pattern, tags = str(entry["pattern"]), entry.get("tags") or []
    preview = _previewer(pattern) if _PREVIEW in tags else None  # type: ignore[operator]
    return _Crawler(re.compile(pattern), tags == [_SUSPECT], preview)


def _previewer(pattern: str) -> str:
    plain = pattern.replace("\\", "").lower()
    named = max((name for name in CODES if len(name) > 2 and name in plain), key=len, default=None)
    return _PREVIEWERS.get(pattern) or named or re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _app(text: str) -> str | None:
    for mark, app in _MARKS:
        if mark in text:
            return app
    found = parse_user_agent(text)
    return _FAMILIES.get(found.family) if found else None


def _device(text: str) -> int:
    for pattern, device in ((_TABLET, "tablet"), (_PHONE, "phone"), (_DESKTOP, "desktop")):
        if pattern.search(text):
            return DEVICES[device]
    return DEVICES["unknown"]
