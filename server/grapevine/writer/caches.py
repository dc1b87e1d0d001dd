"""Keys of rows that were stored recently, so that they are not offered to the store again."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Final, Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)

_DAYS: Final = 10_000
"""The number of pages is kept for so many sites and days."""


class RecentKeys(Generic[K]):
    """A set of the most recent keys: at least the last ``size`` of them and at most twice as many."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._newer: set[K] = set()
        self._older: set[K] = set()

    def __contains__(self, key: K) -> bool:
        return key in self._newer or key in self._older

    def forget(self, key: K) -> None:
        """Removes a key; no-op if it is not in the set."""
        self._newer.discard(key)
        self._older.discard(key)

    def add(self, keys: Iterable[K]) -> None:
        """Adds ``keys``; the older half may be dropped for them."""
        self._newer.update(keys)
        if len(self._newer) > self._size:
            self._older, self._newer = self._newer, set()


class PageBudget:
    """The number of new pages that a site may bring in a day: ``bound``.

    Other processes add pages, too, so it admits pages without a query only up to half of the bound.
    """

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self._taken: dict[tuple[int, int], int] = {}

    def admits(self, site_id: int, day: int, pages: int) -> bool:
        """Whether so many more pages certainly fit; if so, they are counted."""
        taken = self._taken.get((site_id, day))
        if taken is None or 2 * (taken + pages) > self.bound:
            return False
        self._taken[site_id, day] = taken + pages
        return True

    def set_used(self, site_id: int, day: int, pages: int) -> None:
        """Sets how many pages there are at most."""
        if len(self._taken) >= _DAYS:
            self._taken.clear()
        self._taken[site_id, day] = pages


class KnownKeys(NamedTuple):
    """Pages that are stored, as (site, page, day, with their title), and visitors counted, as (site, day, visitor)."""

    pages: RecentKeys[tuple[int, int, int, bool]]
    visitors: RecentKeys[tuple[int, int, int]]

    def add(self, new: NewKeys) -> None:
        """Adds the keys of a batch that has committed."""
        self.pages.add(new.pages)
        self.visitors.add(new.visitors)


class NewKeys(NamedTuple):
    """The keys that a batch adds to ``Known`` if it commits."""

    pages: list[tuple[int, int, int, bool]]
    visitors: list[tuple[int, int, int]]
