"""Corrections of the lists of robots, apps, referrers and parameters, a source per row: ``list_overrides.toml``."""

from __future__ import annotations

import tomllib
from functools import cache
from importlib.resources import files
from typing import Literal

import msgspec

Medium = Literal["messenger", "social", "email", "search", "assistant", "referral"]
"""The sources that a row can name, as ``enums.SOURCES`` calls them."""


class OverrideRow(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """``source``: a public document, a vendor's page, or where the agent string was seen."""

    source: str


class InAppBrowser(OverrideRow, frozen=True, kw_only=True):
    """An app whose in-app browser is known by a ``mark`` in its agent, or by ua-parser's ``family``."""

    app: str
    medium: Literal["messenger", "social"]
    agent: str
    mark: str | None = None
    family: str | None = None


class RobotPattern(OverrideRow, frozen=True, kw_only=True):
    """A robot, known by a regular expression; ``app`` is the one whose preview robot it is."""

    pattern: str
    agent: str
    app: str | None = None
    driven: bool = False


class AssistantPattern(OverrideRow, frozen=True, kw_only=True):
    """An assistant, ``app``, that fetches a page because a person asked, known by a regular expression."""

    pattern: str
    agent: str
    app: str


class GenericRobotPattern(OverrideRow, frozen=True, kw_only=True):
    """A word by which robots without a known name declare themselves."""

    pattern: str
    agent: str


class HumanPattern(OverrideRow, frozen=True, kw_only=True):
    """A ``pattern`` of the list of robots that also matches people's browsers; ``instead`` replaces it."""

    pattern: str
    agent: str
    instead: str | None = None


class ReferrerName(OverrideRow, frozen=True, kw_only=True):
    """The app that a name of the referrer database stands for, and whether its links are sent in private."""

    name: str
    app: str
    medium: Literal["messenger", "social"]


class ReferrerKey(OverrideRow, frozen=True, kw_only=True):
    """A host, ``host/first-part-of-path`` or Android package, in lower case."""

    key: str
    medium: Medium
    app: str | None = None


class AssistantTag(OverrideRow, frozen=True, kw_only=True):
    """A ``utm_source`` that an AI assistant writes into the links of its answers, in lower case."""

    value: str
    app: str


class LinkShim(OverrideRow, frozen=True, kw_only=True):
    """A host that stands between every link of a company's apps and the page."""

    host: str


class TrackingName(OverrideRow, frozen=True, kw_only=True):
    """A query parameter that only tracks, or what such names begin with, in lower case. ``build.py`` reads the row."""

    name: str | None = None
    prefix: str | None = None


class ContentNames(OverrideRow, frozen=True, kw_only=True):
    """Listed names that are no pure tracking on every site, in lower case. ``build.py`` reads the row."""

    reason: str
    names: tuple[str, ...] = ()
    prefixes: tuple[str, ...] = ()


class ListOverrides(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """The table. The order of ``inside`` and ``robot`` counts: the first row that fits is taken."""

    inside: tuple[InAppBrowser, ...]
    robot: tuple[RobotPattern, ...]
    assistant: tuple[AssistantPattern, ...]
    telling: tuple[GenericRobotPattern, ...]
    reader: tuple[HumanPattern, ...]
    name: tuple[ReferrerName, ...]
    referrer: tuple[ReferrerKey, ...]
    tag: tuple[AssistantTag, ...]
    shim: tuple[LinkShim, ...]
    tracking: tuple[TrackingName, ...]
    content: tuple[ContentNames, ...]


@cache
def list_overrides() -> ListOverrides:
    """Returns the table that the package carries."""
    text = files("grapevine.collect").joinpath("list_overrides.toml").read_text("utf-8")
    return msgspec.convert(tomllib.loads(text), ListOverrides)


@cache
def assistant_apps() -> frozenset[str]:
    """Returns the assistants whose fetches for a person are known."""
    return frozenset(row.app for row in list_overrides().assistant)
