"""The writer: group commit. While one batch commits, the next gathers; nobody is answered before their commit.

There is no timer and no artificial delay: a lone event is a batch of one, and batches grow with the load. Answers to a
batch are worked out while the disk is busy with the next one. A store that is far away may take several batches at once
(``max_concurrent_batches``); another one is begun when at least half as many events wait as are on their way, since
small ones are dear.

A store that goes away for a moment is waited for: the batch is tried again as a whole, which is safe since every event
may be repeated, and what arrives meanwhile waits behind it, or tries another lane. After a few seconds the batch is
answered ``busy``, and so is everything that comes until the store is back. Where only a part of the store is away
nobody waits for it: the batch is tried once more and then in halves, so that the events of that part alone are answered
``busy``. Counts are not to be among them: ``on_partial_outage`` is called before, for another slot.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

from grapevine.domain.events import Event, Outcome
from grapevine.domain.periods import Clock
from grapevine.errors import Busy, Interrupted, StoreError
from grapevine.writer.counts import Drops
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


class Writer:
    """Takes events from requests and stores them batch by batch. Use it as an async context manager."""

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
    ) -> None:
        self.recorder = recorder
        self._drops = drops
        self._clock = clock
        self.waiting = FairQueue(max_waiting, max_bytes)
        self._work = asyncio.Event()
        self._closing = False
        self._lanes: list[asyncio.Task[None]] = []
        self._idle = list(range(recorder.max_concurrent_batches))
        self._on_their_way = 0
        self._patience = patience
        self._pause = pause
        self._given_time = time
        self.on_partial_outage: Callable[[], Awaitable[None]] | None = None
        self._away = False
        self._refused = 0
        self._complained_at = -_COMPLAIN_SECONDS

    async def __aenter__(self) -> Writer:
        self._loop = asyncio.get_running_loop()
        self._time = self._given_time or self._loop.time
        self._lanes = [
            asyncio.create_task(self._run(), name=f"grapevine-writer-{lane}")
            for lane in range(self.recorder.max_concurrent_batches)
        ]
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stores everything that was accepted, then stops."""
        self._closing = True
        self._work.set()
        for lane in self._lanes:
            await lane

    def submit(self, event: Event, on_outcome: OnOutcome, size: int = 0) -> None:
        """Queues an event of ``size`` bytes; ``on_outcome`` is called when it is durable, or cannot be stored.

        Raises Busy when too much is waiting.
        """
        if self._closing or not self.waiting.add(QueuedEvent(event, on_outcome, size)):
            self._drops.add(event.site_id, "busy", self._clock())
            raise Busy(
                "More events are waiting to be stored than the server takes on; send this one again.", retry_after=1
            )
        self._work.set()

    @property
    def depth(self) -> int:
        """How many events are waiting."""
        return len(self.waiting)

    async def _run(self) -> None:
        while not self._closing:
            await self._rest()
            await self._store_waiting()
        await self._store_waiting()

    async def _store_waiting(self) -> None:
        """Stores what is waiting, batch by batch; what arrives meanwhile is the next batch."""
        while self._worth_a_batch() or (self._drops and not self._on_their_way):
            batch = self.waiting.take(MAX_BATCH)
            self._on_their_way += len(batch)
            try:
                stored = await self._store_batch(batch)
            finally:
                self._on_their_way -= len(batch)
            if not stored and not self.waiting:
                return

    def _worth_a_batch(self) -> bool:
        waiting = len(self.waiting)
        return waiting > 0 and (self._closing or 2 * waiting >= self._on_their_way)

    async def _rest(self) -> None:
        """Until there is an event to store; drops alone may wait a second for company."""
        if self._worth_a_batch() or self._closing:
            return
        self._work.clear()
        try:
            async with asyncio.timeout(_DROPS_WAIT_SECONDS):
                await self._work.wait()
        except TimeoutError:
            return

    async def _store_batch(self, batch: list[QueuedEvent]) -> bool:
        """Stores a batch, for as long as a store that is away is waited for. False when some of it was refused."""
        now = self._time()
        return await self._store_until(now if self._away else now + self._patience, batch)

    async def _store_until(self, deadline: float, batch: list[QueuedEvent], *, in_part: bool = False) -> bool:
        """As ``_store_batch``; ``in_part`` when it is known that a part of the store is away."""
        pause = _FIRST_PAUSE_SECONDS
        while True:
            try:
                return await self._attempt(deadline, batch)
            except Interrupted as error:
                if error.is_partial and in_part:
                    return await self._by_halves(deadline, batch) if len(batch) > 1 else self._refuse(batch, error)
                if error.is_partial and self.on_partial_outage is not None:
                    await self.on_partial_outage()
                in_part = error.is_partial
                if not in_part and self._time() + pause > deadline:
                    self._away = True
                    return self._refuse(batch, error)
            await self._pause(pause)
            pause = min(2 * pause, _LONGEST_PAUSE_SECONDS)

    async def _by_halves(self, deadline: float, batch: list[QueuedEvent]) -> bool:
        middle = len(batch) // 2
        first = await self._store_until(deadline, batch[:middle], in_part=True)
        return await self._store_until(deadline, batch[middle:], in_part=True) and first

    async def _attempt(self, deadline: float, batch: list[QueuedEvent]) -> bool:
        """Stores a batch; one event that cannot be stored fails alone. Raises Interrupted when that may pass."""
        drops = self._drops.take()
        try:
            with self._lane() as lane:
                outcomes = await self.recorder.record([waiting.event for waiting in batch], drops, lane)
        except Interrupted:
            self._drops.give_back(drops)
            raise
        except StoreError as error:
            self._drops.give_back(drops)
            return self._refuse(batch, error)
        except Exception as error:
            self._drops.give_back(drops)
            if len(batch) > 1:
                return await self._by_halves(deadline, batch)
            log.exception("an event could not be stored")
            self._settle(batch, [error])
            return True
        self._away = False
        self._loop.call_soon(self._settle, batch, outcomes)
        return True

    @contextmanager
    def _lane(self) -> Iterator[int]:
        """The number of a lane that nobody is in, the lowest: as long as one is enough, all counts are in its slot."""
        lane = min(self._idle)
        self._idle.remove(lane)
        try:
            yield lane
        finally:
            self._idle.append(lane)

    def _refuse(self, batch: list[QueuedEvent], error: StoreError) -> bool:
        self._complain(len(batch), error)
        busy = Busy("The store cannot be written to now; send this event again.", retry_after=5)
        self._settle(batch, [busy] * len(batch))
        return False

    def _complain(self, refused: int, error: StoreError) -> None:
        """Says that the store cannot be used: at once, and then every ten seconds, since the log may be on its disk."""
        self._refused += refused
        if self._time() - self._complained_at >= _COMPLAIN_SECONDS:
            log.error("%d events could not be stored and were answered 503: %s", self._refused, error)
            self._refused, self._complained_at = 0, self._time()

    def _settle(self, batch: Sequence[QueuedEvent], outcomes: Sequence[Outcome | Exception]) -> None:
        for waiting, outcome in zip(batch, outcomes, strict=True):
            waiting.on_outcome(outcome)
