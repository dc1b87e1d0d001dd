"""Keys of rows that were stored recently, so that they are not offered to the store again."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, NamedTuple, TypeVar

from grapevine.writer.name_bounds import Taken

K = TypeVar("K", bound=Hashable)


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


class KnownKeys(NamedTuple):
    """Pages that are stored, as (site, page, day, with their title), visitors counted, as (site, day, visitor), and
    names that count as themselves, as (site, kind, name)."""

    pages: RecentKeys[tuple[int, int, int, bool]]
    visitors: RecentKeys[tuple[int, int, int]]
    names: RecentKeys[tuple[int, int, str]]

    def add(self, new: NewKeys) -> None:
        """Adds the keys of a batch that has committed."""
        self.pages.add(new.pages)
        self.visitors.add(new.visitors)
        self.names.add(new.names)


class NewKeys(NamedTuple):
    """The keys that a batch adds to ``KnownKeys`` if it commits, and what it takes of the bounds."""

    pages: list[tuple[int, int, int, bool]]
    visitors: list[tuple[int, int, int]]
    names: list[tuple[int, int, str]]
    taken: list[Taken]
