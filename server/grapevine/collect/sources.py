"""Where a visit without a good share token comes from: assistant, campaign, referrer, in-app browser, or unknown.

Domains and Android packages come from the Snowplow referrer database (taken into ``built/data`` by build.py);
``list_overrides.toml`` holds the corrections of that list.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from functools import cache, lru_cache
from importlib.resources import files
from typing import Final, NamedTuple
from urllib.parse import parse_qs, urlsplit

from grapevine.collect.list_overrides import ListOverrides, list_overrides
from grapevine.domain.enums import SOURCES
from grapevine.domain.urls import MAX_LENGTH, Page, UrlError, origin_of, query_names
from grapevine.domain.visit_evidence import DECIDED_BY

_CACHED: Final = 8_192
_CAMPAIGN_PARAMETERS: Final = frozenset({"utm_source", "utm_medium", "utm_campaign", "utm_id"})
_CAMPAIGN_NAMES: Final = frozenset({"utm_campaign", "utm_id"})
"""Assistants name no campaign: with one of these a tag is the site's own."""
_ANDROID: Final = "android-app://"
_PACKAGE: Final = re.compile(r"(?=.{1,100}\Z)[a-z][a-z0-9_]*(\.[a-z0-9_]+)+", re.ASCII)
"""An Android package in lower case: letters in upper case are allowed in packages, but tell no two apps apart."""


_TAG, _REFERRER, _APP = (DECIDED_BY[name] for name in ("tag", "referrer", "app"))

_NAMED: Final = frozenset({SOURCES["messenger"], SOURCES["assistant"]})
"""The sources whose web pages name the app, too: a network's page may stand for several apps."""


class Origin(NamedTuple):
    """``source`` is a code of ``enums.SOURCES``; ``app`` the messenger or network that the referrer itself named.

    ``shim``: the referrer names a company alone, not the app of that company. ``listed``: the app is known by name, so
    that a visitor cannot have invented it. ``decided_by`` is a code of ``visit_evidence.DECIDED_BY``.
    """

    source: int
    app: str | None
    shim: bool = False
    listed: bool = True
    decided_by: int = _REFERRER


class _Place(NamedTuple):
    """The meaning of a domain or package; networks are an ``app`` only where their own app names itself."""

    source: int
    app: str | None


def source_of(page: Page, url: str, referrer: str, app: str | None, origins: frozenset[str]) -> Origin:
    """Where a visit to ``page`` (opened as ``url``) comes from.

    ``referrer`` is the document's or an ``android-app://`` one, ``app`` the app whose in-app browser it runs in.
    """
    names = query_names(url)
    if _CAMPAIGN_PARAMETERS & names:
        assistant = None if _CAMPAIGN_NAMES & names else _reader().assistant(url)
        if assistant is None:
            return Origin(SOURCES["campaign"], app, decided_by=_TAG)
        return Origin(SOURCES["assistant"], app or assistant, decided_by=_TAG)
    known = _read_referrer(referrer, origins) if referrer else None
    if known is not None and not (known.shim and app):
        return Origin(known.source, app or known.app, listed=app is not None or known.listed)
    if app is not None:
        return Origin(_inside().get(app, SOURCES["social"]), app, decided_by=_APP)
    return Origin(SOURCES["direct-home" if page.is_home else "direct-deep"], None, decided_by=DECIDED_BY["nothing"])


@lru_cache(maxsize=_CACHED)
def _read_referrer(referrer: str, origins: frozenset[str]) -> Origin | None:
    return _reader().read(referrer, origins)


@cache
def _reader() -> ReferrerReader:
    return ReferrerReader(list_overrides(), referrers_listed())


@cache
def _inside() -> dict[str, int]:
    """App → the source of visits in its in-app browser."""
    return {row.app: SOURCES[row.medium] for row in list_overrides().inside}


def referrers_listed() -> dict[str, dict[str, str]]:
    """Medium → domain or package → the name people know, of the database that build.py took in."""
    listed = json.loads(files("grapevine").joinpath("built", "data", "referrers.json").read_text("utf-8"))
    return {medium: listed[medium] for medium in ("unknown", "email", "social", "search", "paid")}


class ReferrerReader:
    """Reads referrers by a database of domains and packages, and by its corrections."""

    def __init__(self, added: ListOverrides, listed: Mapping[str, Mapping[str, str]]) -> None:
        names = {row.name: _Place(SOURCES[row.medium], row.app) for row in added.name}
        self._places = {}
        for medium, domains in listed.items():
            place = _Place(SOURCES.get(medium, SOURCES["referral"]), None)
            for domain, name in domains.items():
                known = names.get(name, place) if medium == "social" else place
                self._places[domain.removeprefix("www.")] = known
        self._places |= {row.key: _Place(SOURCES[row.medium], row.app) for row in added.referrer}
        self._tags = {row.value: row.app for row in added.tag}
        self._shims = frozenset(row.host for row in added.shim)

    def read(self, referrer: str, origins: frozenset[str]) -> Origin | None:
        """The source that a referrer names; None for one that cannot be read, which counts as none."""
        if referrer[: len(_ANDROID)].lower() == _ANDROID:
            return self._android(referrer[len(_ANDROID) :])
        try:
            origin = origin_of(referrer[:MAX_LENGTH])  # of a longer one, too, the host says it
        except UrlError:
            return None
        if origin in origins:
            return Origin(SOURCES["internal"], None)
        parts = urlsplit(referrer)
        host = (parts.hostname or "").removeprefix("www.").removesuffix(".")
        first = parts.path.split("/")[1] if "/" in parts.path else ""
        found = self._look_up(host, first)
        if found is None:
            return Origin(SOURCES["referral"], None)
        app = found.app if found.source in _NAMED else None
        return Origin(found.source, app, host in self._shims)

    def assistant(self, url: str) -> str | None:
        """Returns the assistant that tagged a link with its name or host as ``utm_source``; None for other tags."""
        for name, (value, *_) in parse_qs(urlsplit(url).query).items():
            if name.lower() == "utm_source":
                tag = value.lower().removeprefix("www.")
                found = self._look_up(tag, "")
                return found.app if found and found.source == SOURCES["assistant"] else self._tags.get(tag)
        return None

    def _android(self, rest: str) -> Origin | None:
        """An app by its package, which is evidence even where it is unknown; some apps write a host in its place.

        What cannot be a package is no app.
        """
        package = rest.partition("/")[0].lower()
        found = self._look_up(package, "")
        app = package if _PACKAGE.fullmatch(package) else None
        if found is not None:
            return Origin(found.source, found.app or app, listed=found.app is not None or package in self._places)
        return Origin(SOURCES["referral"], app, listed=False) if package else None

    def _look_up(self, host: str, first: str) -> _Place | None:
        labels = host.split(".")
        for cut in range(len(labels) - 1):
            domain = ".".join(labels[cut:])
            found = self._places.get(f"{domain}/{first}") or self._places.get(domain)
            if found is not None:
                return found
        return None
