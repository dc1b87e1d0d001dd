"""The newest refusals by the page that they came from, in memory: for the owner who waits for a site's first visit.

The store counts refusals by reason alone. Which page was refused is what helps somebody who has just pasted the
snippet, but any stranger can send any origin, so only a few are remembered, for an hour, and nothing of it is stored.
"""

from __future__ import annotations

from typing import Final, NamedTuple, TypeVar

from grapevine.domain.urls import UrlError, origin_of
from grapevine.sites.cache import Site

K = TypeVar("K")
V = TypeVar("V")

PER_SITE: Final = 3
"""Foreign origins that are remembered for one site: an owner who looks has one or two, a stranger any number."""
MOST_SITES: Final = 1_000
MOST_UNKNOWN: Final = 100
"""Origins that named no site of this server; at 200 bytes each that is nothing, and more would be a stranger's."""
LONGEST: Final = 100
"""Characters of an origin or key that are remembered; of a longer one nothing is, since part of a name misleads."""
FRESH_MS: Final = 3_600_000
OPAQUE: Final = "null"
"""The origin of a page that was opened from a file, or in a closed-off frame."""


class RecentRefusal(NamedTuple):
    """A page that was refused at ``at``. ``key`` is the unknown one that it named; None where its origin is foreign."""

    origin: str
    at: int
    key: str | None = None


class RecentRefusals:
    """Remembers the newest refusals of each site, and of pages that named no site of this server."""

    def __init__(self) -> None:
        self._foreign: dict[int, dict[str, int]] = {}
        self._unknown: dict[str, tuple[str, int]] = {}

    def note_foreign(self, site_id: int, origin: str, at: int) -> None:
        """Remembers that a page of ``origin`` reported to a site that it does not belong to."""
        if not 0 < len(origin) <= LONGEST:
            return
        origins = self._foreign.pop(site_id, {})  # popped and put back: the site that was refused last is the newest
        origins.pop(origin, None)
        _make_room(origins, PER_SITE)
        origins[origin] = at
        _make_room(self._foreign, MOST_SITES)
        self._foreign[site_id] = origins

    def note_unknown(self, key: str, origin: str, at: int) -> None:
        """Remembers that a page of ``origin`` named a site that this server does not have."""
        if not 0 < len(origin) <= LONGEST or len(key) > LONGEST:
            return
        self._unknown.pop(origin, None)
        _make_room(self._unknown, MOST_UNKNOWN)
        self._unknown[origin] = key, at

    def of_site(self, site: Site, now: int) -> list[RecentRefusal]:
        """Returns what was refused within the last hour, the newest first: foreign pages that named ``site``, and pages
        of its own origins that named no site of this server. Origins that no page can have are left out."""
        found = [
            RecentRefusal(origin, at)
            for origin, at in self._foreign.get(site.site_id, {}).items()
            if origin not in site.origins and (origin == OPAQUE or _is_origin(origin))
        ]
        found += [
            RecentRefusal(origin, at, key) for origin, (key, at) in self._unknown.items() if origin in site.origins
        ]
        return sorted((one for one in found if abs(now - one.at) < FRESH_MS), key=lambda one: -one.at)[:PER_SITE]


def _make_room(entries: dict[K, V], most: int) -> None:
    """Removes the oldest entry of a dictionary that holds ``most``."""
    if len(entries) >= most:
        del entries[next(iter(entries))]


def _is_origin(text: str) -> bool:
    try:
        return origin_of(text) == text
    except UrlError:
        return False
