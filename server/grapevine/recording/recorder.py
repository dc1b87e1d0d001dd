"""What stores a batch of events, seen from the writer; and the plain way of it, inside the serving process."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from grapevine.domain.events import Event, Outcome
from grapevine.store.base import Store
from grapevine.writer.bursts import VisitorDay
from grapevine.writer.counts import Drop
from grapevine.writer.recorder import Ledger


class Recorder(Protocol):
    """Stores batches, ``max_concurrent_batches`` of them at once."""

    max_concurrent_batches: int

    @property
    def able(self) -> bool:
        """Whether a batch would be taken now."""
        ...

    @property
    def slot(self) -> int:
        """Where counts are raised, its first lane's place in them."""
        ...

    def set_slot(self, slot: int) -> None:
        """From the next batch on, counts are raised in this slot, and in those behind it for further lanes."""
        ...

    def forget(self, machine: VisitorDay) -> None:
        """The machine does not count as a visitor of its day any more; should it come again, it does."""
        ...

    async def record(self, events: Sequence[Event], drops: Mapping[Drop, int], lane: int) -> list[Outcome]:
        """Stores all events, and how often others were refused, in one transaction; back when it is durable.

        Raises Interrupted when the same may succeed in a moment, StoreError when the store cannot be used, and anything
        else when one of the events cannot be stored.
        """
        ...


class Inside:
    """Records on the serving process's own event loop."""

    def __init__(self, store: Store, ledger: Ledger) -> None:
        self._store = store
        self._ledger = ledger
        self.max_concurrent_batches = store.max_concurrent_batches
        self.set_slot = ledger.set_slot
        self.forget = ledger.forget

    @property
    def able(self) -> bool:
        """Always."""
        return True

    @property
    def slot(self) -> int:
        """The ledger's."""
        return self._ledger.slot

    async def record(self, events: Sequence[Event], drops: Mapping[Drop, int], lane: int) -> list[Outcome]:
        """As every Recorder."""
        async with self._store.batch() as changes:
            return await self._ledger.record(changes, events, drops, lane)
