"""What records batches, one after the other or several at once, and what it remembers from batch to batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType
from typing import Final

from grapevine.domain.events import Event, Outcome
from grapevine.store.write_batch import Batch
from grapevine.writer import batch as steps
from grapevine.writer.bursts import Bursts, VisitorDay
from grapevine.writer.caches import KnownKeys, PageBudget, RecentKeys
from grapevine.writer.counts import CountDeltas, Drop
from grapevine.writer.nonces import Nonces
from grapevine.writer.state import BatchState, SharedState

NOTHING: Final[Mapping[Drop, int]] = MappingProxyType({})

_REMEMBERED: Final = 50_000


class Ledger:
    """Records batches. ``nonces`` make visit ids, always the same of the same; ``slot`` is this writer's, the first of
    them where it has several lanes: batches that are on their way at once never wait for each other's counts.

    ``pages_a_day`` bounds how many new pages a site may bring in a day; what exceeds it counts as ``(other)``.
    """

    def __init__(self, nonces: Nonces, slot: int = 0, pages_a_day: int = 10_000) -> None:
        self._slot = slot
        self._shared = SharedState(
            nonces, KnownKeys(RecentKeys(_REMEMBERED), RecentKeys(_REMEMBERED)), Bursts(), PageBudget(pages_a_day)
        )

    async def record(
        self, batch: Batch, events: Sequence[Event], drops: Mapping[Drop, int] = NOTHING, lane: int = 0
    ) -> list[Outcome]:
        """Stores all events in ``batch``, and how often others were refused; answers each event in its place."""
        state = BatchState(self._shared, batch, events, CountDeltas(self._slot + lane), drops)
        batch.when_committed(lambda: self._shared.known.add(state.new_keys))
        return await steps.record(state)

    @property
    def slot(self) -> int:
        """Where counts are raised: this writer's own place in them, its first lane's."""
        return self._slot

    def set_slot(self, slot: int) -> None:
        """From the next batch on, counts are raised in this slot, and in those behind it for further lanes."""
        self._slot = slot

    def forget(self, machine: VisitorDay) -> None:
        """The machine does not count as a visitor of its day any more; should it come again, it does."""
        self._shared.known.visitors.forget(machine)
