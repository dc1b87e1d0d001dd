"""Records batches of events, and keeps the state that batches share."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import partial
from time import perf_counter
from types import MappingProxyType
from typing import Final

from grapevine.domain.events import Event, Outcome
from grapevine.errors import StoreError
from grapevine.store.base import Store
from grapevine.store.write_batch import Batch
from grapevine.telemetry.histogram import Histogram
from grapevine.webhooks.subscriptions import Subscriptions, no_subscriptions
from grapevine.writer import batch as steps
from grapevine.writer.announcer import Announcer
from grapevine.writer.bursts import Bursts, VisitorDay
from grapevine.writer.caches import KnownKeys, NewKeys, RecentKeys, RecentTitles
from grapevine.writer.counts import CountDeltas, Drop
from grapevine.writer.floods import Floods
from grapevine.writer.name_bounds import BOUNDS, Bound, NameBounds
from grapevine.writer.nonces import Nonces
from grapevine.writer.state import BatchState, SharedState

NO_DROPS: Final[Mapping[Drop, int]] = MappingProxyType({})

_REMEMBERED: Final = 50_000

BATCH_EVENTS: Final = (0.0, 1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 500.0, 1_000.0, 2_000.0)
"""Upper bounds of the number of events in a batch. One of none stores drops alone."""


def _no_clock() -> int:
    return 0


class EventRecorder:
    """Stores batches, at most ``max_concurrent_batches`` at once.

    ``nonces`` make visit ids, the same id of the same nonce. Counts are raised in a slot of rows that no other process
    writes; concurrent batches use the slots behind it, at ``slot_offset``, so that they never wait for each other's
    counts. ``bounds`` are those on what visitors may invent in a day. ``announcer`` numbers
    what is announced to the live feed; without one nothing is. ``subscriptions`` say which sites get events by
    webhooks; without them none does.
    """

    def __init__(
        self,
        store: Store,
        nonces: Nonces,
        slot: int = 0,
        bounds: Mapping[int, Bound] = BOUNDS,
        announcer: Announcer | None = None,
        subscriptions: Subscriptions | None = None,
    ) -> None:
        self.max_concurrent_batches = store.max_concurrent_batches
        self.batch_events = Histogram(BATCH_EVENTS)
        self.batch_seconds = Histogram()
        self.commit_seconds = Histogram()
        self.store_errors = 0
        self.exceeded: Counter[int] = Counter()
        """Events that exceeded a bound of their day, by ``BOUND_KINDS``."""
        self._store = store
        self._slot = slot
        self._shared = SharedState(
            nonces=nonces,
            known=KnownKeys(
                pages=RecentTitles(_REMEMBERED), visitors=RecentKeys(_REMEMBERED), names=RecentKeys(_REMEMBERED)
            ),
            bursts=Bursts(),
            bounds=NameBounds(bounds),
            floods=Floods(),
            announcer=announcer or Announcer(_no_clock, self.max_concurrent_batches),
            subscriptions=subscriptions or no_subscriptions(store.webhooks),
        )

    async def record(
        self, events: Sequence[Event], drops: Mapping[Drop, int] = NO_DROPS, slot_offset: int = 0
    ) -> list[Outcome]:
        """Stores all events and drops in one transaction. Returns the outcomes, by index, when it is durable.

        Raises Interrupted when a retry may succeed soon, StoreError when the store cannot be used, and any other error
        when one of the events cannot be stored.
        """
        started = perf_counter()
        try:
            async with self._store.batch() as batch:
                outcomes = await self.record_in(batch, events, drops, slot_offset)
                written = perf_counter()
        except StoreError:
            self.store_errors += 1
            raise
        ended = perf_counter()
        self.batch_events.observe(len(events))
        self.batch_seconds.observe(ended - started)
        self.commit_seconds.observe(ended - written)
        return outcomes

    async def record_in(
        self, batch: Batch, events: Sequence[Event], drops: Mapping[Drop, int] = NO_DROPS, slot_offset: int = 0
    ) -> list[Outcome]:
        """As ``record``, in a transaction that the caller commits."""
        state = BatchState(self._shared, batch, events, CountDeltas(self._slot + slot_offset), drops, slot_offset)
        # Keys of a transaction that is rolled back must be offered to the store again.
        # The callback holds the keys alone: with the state, which holds the batch, it would make a reference cycle.
        batch.when_committed(partial(self._remember, state.new_keys, state.deltas.exceeded))
        return await steps.record(state)

    def _remember(self, new: NewKeys, exceeded: Counter[int]) -> None:
        self.exceeded.update(exceeded)
        self._shared.known.add(new)
        self._shared.bounds.add(new.taken)

    @property
    def nonces(self) -> Nonces:
        """What makes ids and keys of nonces and names."""
        return self._shared.nonces

    @property
    def slot(self) -> int:
        """The slot in which counts are raised, that of offset 0."""
        return self._slot

    def set_slot(self, slot: int) -> None:
        """Raises counts in this slot, and in those behind it for concurrent batches, from the next batch on."""
        self._slot = slot

    def forget(self, visitor: VisitorDay) -> None:
        """Counts the visitor anew when they come again on that day."""
        self._shared.known.visitors.forget(visitor)

    def forget_page(self, site_id: int, page_id: int, day: int) -> None:
        """Offers the page to the store again when it is named on that day."""
        self._shared.known.pages.forget((site_id, page_id, day))

    def forget_all(self) -> None:
        """Takes no page and no visitor for stored any more; called when another process erased a visit."""
        self._shared.known.pages.clear()
        self._shared.known.visitors.clear()
