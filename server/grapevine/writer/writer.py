"""The writer: group commit. While one batch commits, the next one gathers; a request is answered after its commit.

There is no timer and no artificial delay: a lone event is a batch of one, and batches grow with the load. Responses to
a batch are built while the disk works on the next one. A distant store may take several batches at once
(``max_concurrent_batches``); another one starts when at least half as many events are queued as are being stored, since
small batches are expensive.

The writer waits for a store that is interrupted: it retries the whole batch, which is safe since every event may be
repeated, while new events queue up or go into another concurrent batch. After a few seconds the batch is refused as
``busy``, and so is every later event until the store is back. It does not wait for a partial outage: the batch is
retried once and then in halves, so that only events of the missing part are refused. Counts must not be among these:
``on_partial_outage`` is called first, to move them to another slot.

Events of a site that was deleted while they waited are refused as calls to it are, so that no row of it comes back.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from grapevine.domain.events import Event, Outcome
from grapevine.domain.periods import Clock
from grapevine.errors import Busy, Interrupted, StoreError, UnknownSite
from grapevine.writer.counts import NO_SITE, Drops
from grapevine.writer.queue import FairQueue, OnOutcome, QueuedEvent
from grapevine.writer.recorder import EventRecorder

log = logging.getLogger(__name__)

MAX_WAITING: Final = 20_000
MAX_WAITING_BYTES: Final = 32 << 20
MAX_BATCH: Final = 2_000
_DROPS_WAIT_SECONDS: Final = 1.0
_COMPLAIN_SECONDS: Final = 10.0
PATIENCE_SECONDS: Final = 4.0
_FIRST_PAUSE_SECONDS: Final = 0.05
_LONGEST_PAUSE_SECONDS: Final = 0.5

SITE_DELETED: Final = "Nothing is counted: this site was deleted on the server. Take its snippet out of the page."


class Writer:
    """Queues events and stores them batch by batch. Use it as an async context manager."""

    def __init__(
        self,
        recorder: EventRecorder,
        drops: Drops,
        clock: Clock,
        max_waiting: int = MAX_WAITING,
        max_bytes: int = MAX_WAITING_BYTES,
        patience: float = PATIENCE_SECONDS,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
        time: Callable[[], float] | None = None,
        is_site: Callable[[int], bool] = lambda _: True,
    ) -> None:
        self.recorder = recorder
        self._drops = drops
        self._clock = clock
        self.waiting = FairQueue(max_waiting, max_bytes)
        self._work = asyncio.Event()
        self._closing = False
        self._tasks: list[asyncio.Task[None]] = []
        self._free_offsets = list(range(recorder.max_concurrent_batches))
        self._in_flight = 0
        self._patience = patience
        self._pause = pause
        self._given_time = time
        self._is_site = is_site
        self.on_partial_outage: Callable[[], Awaitable[None]] | None = None
        self._away = False
        self._refused = 0
        self._complained_at = -_COMPLAIN_SECONDS
        self.refused_by_queue = 0
        """How many events found no room, since the process started."""

    async def __aenter__(self) -> Writer:
        self._loop = asyncio.get_running_loop()
        self._time = self._given_time or self._loop.time
        self._tasks = [
            asyncio.create_task(self._run(), name=f"grapevine-writer-{number}")
            for number in range(self.recorder.max_concurrent_batches)
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stores every queued event, then stops."""
        self._closing = True
        self._work.set()
        for task in self._tasks:
            await task

    def submit(self, event: Event, on_outcome: OnOutcome, size: int = 0) -> None:
        """Queues an event of ``size`` bytes; ``on_outcome`` is called when it is durable, or cannot be stored.

        Raises Busy when too much is waiting.
        """
        if self._closing or not self.waiting.add(QueuedEvent(event, on_outcome, size)):
            self.refused_by_queue += 1
            self._drops.add(event.site_id, "busy", self._clock())
            raise Busy("Too many reports are waiting to be stored; send this one again.", retry_after=1)
        self._work.set()

    @property
    def depth(self) -> int:
        """How many events are waiting."""
        return len(self.waiting)

    async def _run(self) -> None:
        while not self._closing:
            await self._wait_for_work()
            await self._store_waiting()
        await self._store_waiting()

    async def _store_waiting(self) -> None:
        """Stores the queued events, batch by batch."""
        while self._worth_a_batch() or (self._drops and not self._in_flight):
            batch = self.waiting.take(MAX_BATCH)
            self._in_flight += len(batch)
            try:
                stored = await self._store_batch(batch)
            finally:
                self._in_flight -= len(batch)
            if not stored and not self.waiting:
                return

    def _worth_a_batch(self) -> bool:
        waiting = len(self.waiting)
        return waiting > 0 and (self._closing or 2 * waiting >= self._in_flight)

    async def _wait_for_work(self) -> None:
        """Waits until there is an event to store. Drops alone are stored after a second."""
        if self._worth_a_batch() or self._closing:
            return
        self._work.clear()
        try:
            async with asyncio.timeout(_DROPS_WAIT_SECONDS):
                await self._work.wait()
        except TimeoutError:
            return

    async def _store_batch(self, batch: list[QueuedEvent]) -> bool:
        """Stores a batch, retrying while the store is interrupted. Returns False when events were refused."""
        now = self._time()
        # Once the patience has run out, later batches get a single attempt until one succeeds: their requests must not
        # wait another few seconds for the same outage.
        return await self._store_until(now if self._away else now + self._patience, batch)

    async def _store_until(self, deadline: float, batch: list[QueuedEvent], *, is_partial: bool = False) -> bool:
        """Retries a batch until ``deadline``. ``is_partial`` says that the outage is known to be partial.

        Waiting is for total outages, which end (a restart, a failover). A partial outage may last, and concerns few
        events: the first time counts move to another slot and the batch is retried once; when that fails too, an
        event's own row is on the missing part, and halving finds those events in log2(n) rounds while all others are
        stored.
        """
        pause = _FIRST_PAUSE_SECONDS
        while True:
            batch = self._without_deleted_sites(batch)
            try:
                return await self._attempt(deadline, batch)
            except Interrupted as error:
                if error.is_partial and is_partial:
                    return await self._by_halves(deadline, batch) if len(batch) > 1 else self._refuse(batch, error)
                if error.is_partial and self.on_partial_outage is not None:
                    await self.on_partial_outage()
                is_partial = error.is_partial
                if not is_partial and self._time() + pause > deadline:
                    self._away = True
                    return self._refuse(batch, error)
            await self._pause(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _by_halves(self, deadline: float, batch: list[QueuedEvent]) -> bool:
        middle = len(batch) // 2
        first = await self._store_until(deadline, batch[:middle], is_partial=True)
        return await self._store_until(deadline, batch[middle:], is_partial=True) and first

    async def _attempt(self, deadline: float, batch: list[QueuedEvent]) -> bool:
        """Stores a batch; an event that cannot be stored fails alone. Raises Interrupted when a retry may succeed."""
        drops = {drop: n for drop, n in self._drops.take().items() if drop[0] == NO_SITE or self._is_site(drop[0])}
        try:
            with self._free_offset() as slot_offset:
                outcomes = await self.recorder.record([queued.event for queued in batch], drops, slot_offset)
        except Interrupted:
            self._drops.give_back(drops)
            raise
        except StoreError as error:
            self._drops.give_back(drops)
            return self._refuse(batch, error)
        except Exception as error:
            self._drops.give_back(drops)
            if len(batch) > 1:
                # One event is at fault (a bug): halves isolate it, so that it does not take its neighbours with it.
                return await self._by_halves(deadline, batch)
            log.exception("an event could not be stored")
            self._report(batch, [error])
            return True
        self._away = False
        self._loop.call_soon(self._report, batch, outcomes)
        return True

    def _without_deleted_sites(self, batch: list[QueuedEvent]) -> list[QueuedEvent]:
        """Returns the events of sites that are there, and refuses the others."""
        gone = {queued.event.site_id for queued in batch if not self._is_site(queued.event.site_id)}
        if not gone:
            return batch
        late = [queued for queued in batch if queued.event.site_id in gone]
        self._report(late, [UnknownSite(SITE_DELETED)] * len(late))
        return [queued for queued in batch if queued.event.site_id not in gone]

    @contextmanager
    def _free_offset(self) -> Iterator[int]:
        """Reserves the lowest free slot offset, so that all counts are in one slot while batches do not overlap."""
        offset = min(self._free_offsets)
        self._free_offsets.remove(offset)
        try:
            yield offset
        finally:
            self._free_offsets.append(offset)

    def _refuse(self, batch: list[QueuedEvent], error: StoreError) -> bool:
        self._log_refusal(len(batch), error)
        busy = Busy("The store cannot be written to now; send this event again.", retry_after=5)
        self._report(batch, [busy] * len(batch))
        return False

    def _log_refusal(self, refused: int, error: StoreError) -> None:
        """Logs that the store cannot be used: at once, then every ten seconds, as the log may be on the same disk."""
        self._refused += refused
        if self._time() - self._complained_at >= _COMPLAIN_SECONDS:
            log.error("%d events could not be stored and were answered 503: %s", self._refused, error)
            self._refused, self._complained_at = 0, self._time()

    def _report(self, batch: Sequence[QueuedEvent], outcomes: Sequence[Outcome | Exception]) -> None:
        for queued, outcome in zip(batch, outcomes, strict=True):
            queued.on_outcome(outcome)
