"""Keys of rows that were stored recently, so that they are not offered to the store again."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Mapping
from typing import Generic, NamedTuple, TypeVar

from grapevine.writer.name_bounds import Taken

K = TypeVar("K", bound=Hashable)

PageDay = tuple[int, int, int]
"""A page on a day, as (site, page, day)."""


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

    def clear(self) -> None:
        """Removes all keys."""
        self._newer, self._older = set(), set()

    def add(self, keys: Iterable[K]) -> None:
        """Adds ``keys``; the older half may be dropped for them."""
        self._newer.update(keys)
        if len(self._newer) > self._size:
            self._older, self._newer = self._newer, set()


class OfferedTitle(NamedTuple):
    """The title that a page was last offered to the store with, as its hash (0 for none), and how often the page had
    another one before on that day."""

    title: int
    changes: int


class RecentTitles:
    """The titles that pages were last offered with: of at least the last ``size`` pages and at most twice as many."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._newer: dict[PageDay, OfferedTitle] = {}
        self._older: dict[PageDay, OfferedTitle] = {}

    def get(self, key: PageDay) -> OfferedTitle | None:
        """Returns what the page was last offered with on that day; None if it is not known."""
        return self._newer.get(key) or self._older.get(key)

    def forget(self, key: PageDay) -> None:
        """Removes a page; no-op if it is not there."""
        self._newer.pop(key, None)
        self._older.pop(key, None)

    def clear(self) -> None:
        """Removes all pages."""
        self._newer, self._older = {}, {}

    def add(self, offered: Mapping[PageDay, OfferedTitle]) -> None:
        """Adds or replaces what pages were offered with; the older half may be dropped for them."""
        self._newer.update(offered)
        if len(self._newer) > self._size:
            self._older, self._newer = self._newer, {}


class KnownKeys(NamedTuple):
    """Pages that are stored, with their titles, visitors counted, as (site, day, visitor), and names that count as
    themselves, as (site, kind, name)."""

    pages: RecentTitles
    visitors: RecentKeys[tuple[int, int, int]]
    names: RecentKeys[tuple[int, int, str]]

    def add(self, new: NewKeys) -> None:
        """Adds the keys of a batch that has committed."""
        self.pages.add(new.pages)
        self.visitors.add(new.visitors)
        self.names.add(new.names)


class NewKeys(NamedTuple):
    """The keys that a batch adds to ``KnownKeys`` if it commits, and what it takes of the bounds."""

    pages: dict[PageDay, OfferedTitle]
    visitors: list[tuple[int, int, int]]
    names: list[tuple[int, int, str]]
    taken: list[Taken]
