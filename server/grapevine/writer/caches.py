"""What a writer has seen stored a while ago, so that it need not be offered to the store again."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Final, Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)

_DAYS: Final = 10_000
"""Of so many sites and days the number of pages is remembered."""


class RecentKeys(Generic[K]):
    """Remembers at least the last ``size`` keys and at most twice as many."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._newer: set[K] = set()
        self._older: set[K] = set()

    def __contains__(self, key: K) -> bool:
        return key in self._newer or key in self._older

    def forget(self, key: K) -> None:
        """As if it had never been seen."""
        self._newer.discard(key)
        self._older.discard(key)

    def add(self, keys: Iterable[K]) -> None:
        """Remembers ``keys``, for which the older half may be forgotten."""
        self._newer.update(keys)
        if len(self._newer) > self._size:
            self._older, self._newer = self._newer, set()


class PageBudget:
    """How many pages a site may bring in a day: ``bound``. Told how many there are, it knows for a while without asking
    that there is room for more. Others store some, too, so that it is sure of half the bound alone."""

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self._taken: dict[tuple[int, int], int] = {}

    def admits(self, site_id: int, day: int, pages: int) -> bool:
        """Whether there surely is room for so many more; then they are counted."""
        taken = self._taken.get((site_id, day))
        if taken is None or 2 * (taken + pages) > self.bound:
            return False
        self._taken[site_id, day] = taken + pages
        return True

    def set_used(self, site_id: int, day: int, pages: int) -> None:
        """So many there are at most."""
        if len(self._taken) >= _DAYS:
            self._taken.clear()
        self._taken[site_id, day] = pages


class KnownKeys(NamedTuple):
    """Pages that are stored, as (site, page, day, with their title), and visitors counted, as (site, day, visitor)."""

    pages: RecentKeys[tuple[int, int, int, bool]]
    visitors: RecentKeys[tuple[int, int, int]]

    def add(self, new: NewKeys) -> None:
        """A batch has committed; what it stored need not be offered to the store again."""
        self.pages.add(new.pages)
        self.visitors.add(new.visitors)


class NewKeys(NamedTuple):
    """What a batch adds to ``Known`` if it commits."""

    pages: list[tuple[int, int, int, bool]]
    visitors: list[tuple[int, int, int]]
