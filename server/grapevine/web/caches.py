"""Two response caches in memory: the share counts of pages, and the redirects of short links.

Both spare the store the requests that everybody makes at once. They are small, and the oldest entry goes first.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from typing import Final, NamedTuple, TypeVar

import msgspec
from starlette.responses import Response

from grapevine.api_schemas.public import ShareCounts
from grapevine.domain.channels import NAMES
from grapevine.domain.periods import Clock

K = TypeVar("K")
V = TypeVar("V")

_MOST_ENTRIES: Final = 4_096
_COUNTS_FRESH_MS: Final = 10_000
_REDIRECT_FRESH_MS: Final = 60_000


class EncodedCounts(NamedTuple):
    """Share counts as JSON, and the entity tag of that text."""

    body: bytes
    etag: str


def encode_counts(shares: Mapping[int, int]) -> EncodedCounts:
    """Returns the response body and the entity tag for ``shares``, which are by channel code."""
    channels = {NAMES[code]: number for code, number in shares.items()}
    body = msgspec.json.encode(ShareCounts(total=sum(shares.values()), channels=channels))
    return EncodedCounts(body=body, etag=f'"{hashlib.sha256(body).hexdigest()[:16]}"')


class CountsCache:
    """Share counts by (site, page); an entry is fresh for ten seconds."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._entries: dict[tuple[int, int], tuple[int, EncodedCounts]] = {}

    def put(self, site_id: int, page_id: int, counts: EncodedCounts) -> None:
        """Stores the counts of a page; removes the oldest entry when the cache is full."""
        make_room(self._entries, (site_id, page_id))
        self._entries[site_id, page_id] = (self._clock(), counts)

    def get(self, site_id: int, page_id: int) -> EncodedCounts | None:
        """Returns the counts of a page; None when there is no fresh entry."""
        at, counts = self._entries.get((site_id, page_id), (0, None))
        return counts if abs(self._clock() - at) < _COUNTS_FRESH_MS else None


class RedirectCache:
    """Responses to short links by the text of the token.

    An entry is fresh for a minute, until a site changes (``version`` rises then), or until the share is reported,
    because the report may name another page than the link has led to so far.
    """

    def __init__(self, clock: Clock, version: Callable[[], int]) -> None:
        self._clock = clock
        self._version = version
        self._entries: dict[str, tuple[int, int, Response]] = {}

    def put(self, token: str, response: Response) -> None:
        """Stores the response to a link; removes the oldest entry when the cache is full."""
        make_room(self._entries, token)
        self._entries[token] = (self._clock(), self._version(), response)

    def get(self, token: str) -> Response | None:
        """Returns the response to the token's link; None when there is no fresh entry."""
        entry = self._entries.get(token)
        if entry is None:
            return None
        at, version, response = entry
        return response if version == self._version() and abs(self._clock() - at) < _REDIRECT_FRESH_MS else None

    def invalidate(self, token: str) -> None:
        """Removes the token's entry; called when its share is reported."""
        self._entries.pop(token, None)

    def clear(self) -> None:
        """Removes all entries; called when a visit was erased, whose links lead to no page any more."""
        self._entries.clear()


def make_room(entries: dict[K, V], key: K) -> None:
    """Removes the entry of ``key``, and the oldest one where there are as many as may be."""
    entries.pop(key, None)
    if len(entries) >= _MOST_ENTRIES:
        del entries[next(iter(entries))]
