"""User agents: robot or not, device, and the app whose in-app browser or preview robot it is.

Robots come from ``crawler-user-agents``, in-app browsers from ``ua-parser``; ``list_overrides.toml`` corrects
both. Nothing of the string is ever stored, and only its hash is kept in memory.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from typing import Final, NamedTuple

import msgspec
from ua_parser import parse_user_agent

from grapevine.collect.list_overrides import ListOverrides, list_overrides
from grapevine.domain.channels import CODES
from grapevine.domain.enums import DEVICES

LONGEST_AGENT: Final = 512
"""Characters of a user agent that are read; browsers send one or two hundred."""

_CACHED: Final = 8_192
_CHUNK: Final = 50

# The list's tag of agents that only drive a real browser; they are suspects, to be judged, and no robots.
_DRIVEN: Final = "browser-automation"
_PREVIEW: Final = "social-preview"

_TABLET: Final = re.compile(r"iPad|Tablet|^(?!.*Mobile).*Android")
_PHONE: Final = re.compile(r"Mobi|iPhone|iPod")
_DESKTOP: Final = re.compile(r"Windows NT|Macintosh|X11|CrOS")


class Agent(NamedTuple):
    """``robot``: names itself as one. ``preview``: the app that fetches a link for a person: a messenger for its
    preview, or an AI ``assistant`` that was asked about it. ``app``: whose in-app browser.

    ``suspect``: a real browser that says it is driven by a program. ``device`` is a code of ``enums.DEVICES``.
    """

    robot: bool
    preview: str | None
    suspect: bool
    app: str | None
    device: int
    assistant: bool = False


class _Crawler(NamedTuple):
    pattern: re.Pattern[str]
    suspect: bool
    preview: str | None
    assistant: bool = False


def read_agent(user_agent: str) -> Agent:
    """Returns the facts of a user-agent string; an empty one is a robot, since every browser sends one."""
    return _agents().read(user_agent)


@cache
def _agents() -> AgentCache:
    return AgentCache(AgentReader(list_overrides(), robots_listed()))


class AgentCache:
    """Remembers what the agents seen last mean, by their hash: the strings would take many times the memory.

    The hash is Python's own, 64 bits under a key that each process draws for itself, which costs next to nothing.
    """

    def __init__(self, reader: AgentReader) -> None:
        self._reader = reader
        self._known: dict[int, Agent] = {}

    def read(self, user_agent: str) -> Agent:
        """Returns the facts of a user-agent string."""
        text = user_agent[:LONGEST_AGENT]
        key = hash(text)
        agent = self._known.get(key)
        if agent is None:
            if len(self._known) >= _CACHED:
                del self._known[next(iter(self._known))]  # the oldest; one that is in use comes back
            agent = self._known[key] = self._reader.read(text)
        return agent


def robots_listed() -> list[ListedRobot]:
    """Returns the robots that ``crawler-user-agents`` lists."""
    text = files("crawleruseragents").joinpath("crawler-user-agents.json").read_bytes()
    return msgspec.json.decode(text, type=list[ListedRobot])


class ListedRobot(msgspec.Struct, frozen=True):
    """An entry of the list of robots: a regular expression, its tags, and agent strings that were seen."""

    pattern: str
    tags: tuple[str, ...] = ()
    instances: tuple[str, ...] = ()


class AgentReader:
    """Reads agent strings by a list of robots and by its corrections."""

    def __init__(self, added: ListOverrides, listed: Sequence[ListedRobot]) -> None:
        crawlers = [
            *(_Crawler(re.compile(row.pattern), row.driven, row.app) for row in added.robot),
            *(
                _Crawler(re.compile(row.pattern), suspect=False, preview=row.app, assistant=True)
                for row in added.assistant
            ),
            *_without_people(listed, {row.pattern: row.instead for row in added.reader}),
            *(_Crawler(re.compile(row.pattern), suspect=False, preview=None) for row in added.telling),
        ]
        chunks = [crawlers[start : start + _CHUNK] for start in range(0, len(crawlers), _CHUNK)]
        self._chunks = [
            (re.compile("|".join(f"(?:{one.pattern.pattern})" for one in chunk)), chunk) for chunk in chunks
        ]
        self._marks = [(row.mark, row.app) for row in added.inside if row.mark is not None]
        self._families = {row.family: row.app for row in added.inside if row.family is not None}

    def read(self, user_agent: str) -> Agent:
        """Returns the facts of a user-agent string."""
        text = user_agent[:LONGEST_AGENT]
        crawler = self._crawler(text)
        device = _device(text)
        if crawler is not None and not crawler.suspect and crawler.preview is None:
            return Agent(robot=True, preview=None, suspect=False, app=None, device=device)
        app = self._app(text)
        if crawler is None:
            return Agent(not text, None, suspect=False, app=app, device=device)
        if crawler.suspect or (app is not None and text.startswith("Mozilla/5.0 (")):
            return Agent(robot=False, preview=None, suspect=crawler.suspect, app=app, device=device)
        return Agent(True, crawler.preview, suspect=False, app=None, device=device, assistant=crawler.assistant)

    def _crawler(self, text: str) -> _Crawler | None:
        """Returns the first matching crawler that is more than a suspect, else a matching suspect, else None."""
        suspect = None
        for whole, members in self._chunks:
            if whole.search(text):
                for crawler in members:
                    if crawler.pattern.search(text):
                        if not crawler.suspect:
                            return crawler
                        suspect = crawler
        return suspect

    def _app(self, text: str) -> str | None:
        for mark, app in self._marks:
            if mark in text:
                return app
        found = parse_user_agent(text)
        return self._families.get(found.family) if found else None


def _without_people(listed: Sequence[ListedRobot], readers: Mapping[str, str | None]) -> Iterator[_Crawler]:
    """Yields the list's robots. ``readers`` maps patterns that match people to their replacement, or None."""
    for entry in listed:
        pattern = readers.get(entry.pattern, entry.pattern)
        if pattern is not None:
            preview = _previewer(entry.pattern) if entry.tags == (_PREVIEW,) else None
            yield _Crawler(re.compile(pattern), entry.tags == (_DRIVEN,), preview)


def _previewer(pattern: str) -> str:
    """Returns the app that a preview robot's pattern names, else the robot's own name."""
    plain = pattern.replace("\\", "").lower()
    named = max((name for name in CODES if len(name) > 2 and name in plain), key=len, default=None)
    return named or re.sub(r"[^a-z0-9]+", "-", plain).strip("-")


def _device(text: str) -> int:
    for pattern, device in ((_TABLET, "tablet"), (_PHONE, "phone"), (_DESKTOP, "desktop")):
        if pattern.search(text):
            return DEVICES[device]
    return DEVICES["unknown"]
