"""What a writer has seen stored a while ago, so that it need not be offered to the store again."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from typing import Generic, NamedTuple, TypeVar

K = TypeVar("K", bound=Hashable)


class Memory(Generic[K]):
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


class Known(NamedTuple):
    """Pages that are stored with their title, as (site, page, day), and visitors counted, as (site, day, visitor)."""

    pages: Memory[tuple[int, int, int]]
    visitors: Memory[tuple[int, int, int]]

    def learn(self, learned: Learned) -> None:
        """A batch has committed; what it stored need not be offered to the store again."""
        self.pages.add(learned.pages)
        self.visitors.add(learned.visitors)


class Learned(NamedTuple):
    """What a batch adds to ``Known`` if it commits."""

    pages: list[tuple[int, int, int]]
    visitors: list[tuple[int, int, int]]
