"""The writer: group commit. While one batch commits, the next gathers; nobody is answered before their commit.

There is no timer and no artificial delay: a lone event is a batch of one, and batches grow with the load.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from typing import Final

from grapevine.collect.ledger import Ledger
from grapevine.collect.tally import Drops
from grapevine.errors import Busy, StoreError
from grapevine.events import Event, Outcome
from grapevine.sites import Clock
from grapevine.store.base import Store

log = logging.getLogger(__name__)

MAX_WAITING: Final = 20_000
MAX_BATCH: Final = 2_000
_DROPS_WAIT_SECONDS: Final = 1.0

_Waiting = tuple[Event, "asyncio.Future[Outcome]"]


class Writer:
    """Takes events from requests and stores them batch by batch. Use it as an async context manager."""

    def __init__(
        self, store: Store, ledger: Ledger, drops: Drops, clock: Clock, max_waiting: int = MAX_WAITING
    ) -> None:
        self._store = store
        self._ledger = ledger
        self._drops = drops
        self._clock = clock
        self._max_waiting = max_waiting
        self._waiting: deque[_Waiting] = deque()
        self._work = asyncio.Event()
        self._closing = False
        self._task: asyncio.Task[None] | None = None

    async def __aenter__(self) -> Writer:
        self._task = asyncio.create_task(self._run(), name="grapevine-writer")
        return self

    async def __aexit__(self, *_: object) -> None:
        """Stores everything that was accepted, then stops."""
        self._closing = True
        self._work.set()
        if self._task is not None:
            await self._task

    async def submit(self, event: Event) -> Outcome:
        """Stores an event and answers when its commit is done. Raises Busy when too much is waiting."""
        if self._closing or len(self._waiting) >= self._max_waiting:
            self._drops.add(event.site_id, "busy", self._clock())
            raise Busy(
                "More events are waiting to be stored than the server takes on; send this one again.", retry_after=1
            )
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        self._waiting.append((event, answer))
        self._work.set()
        return await answer

    @property
    def depth(self) -> int:
        """How many events are waiting."""
        return len(self._waiting)

    async def _run(self) -> None:
        while not self._closing:
            await self._rest()
            await self._store_waiting()
        await self._store_waiting()

    async def _store_waiting(self) -> None:
        """Stores what is waiting, batch by batch; what arrives meanwhile is the next batch."""
        while self._waiting or self._drops:
            batch = [self._waiting.popleft() for _ in range(min(len(self._waiting), MAX_BATCH))]
            if not await self._store_batch(batch) and not self._waiting:
                return

    async def _rest(self) -> None:
        """Until there is an event to store; drops alone may wait a second for company."""
        if self._waiting or self._closing:
            return
        self._work.clear()
        try:
            async with asyncio.timeout(_DROPS_WAIT_SECONDS):
                await self._work.wait()
        except TimeoutError:
            return

    async def _store_batch(self, batch: list[_Waiting]) -> bool:
        """Stores a batch; one event that cannot be stored fails alone. False when the store cannot be used."""
        drops = self._drops.take()
        try:
            async with self._store.batch() as changes:
                outcomes = await self._ledger.record(changes, [event for event, _ in batch])
                await changes.raise_drops(
                    [(site, hour, reason, 0, n) for (site, hour, reason), n in sorted(drops.items())]
                )
        except StoreError as error:
            self._drops.give_back(drops)
            log.error("a batch of %d events could not be stored: %s", len(batch), error)
            for _, answer in batch:
                _fail(answer, Busy("The store cannot be written to now; send this event again.", retry_after=5))
            return False
        except Exception as error:
            self._drops.give_back(drops)
            if len(batch) > 1:
                middle = len(batch) // 2
                first = await self._store_batch(batch[:middle])
                return await self._store_batch(batch[middle:]) and first
            log.exception("an event could not be stored")
            for _, answer in batch:
                _fail(answer, error)
            return True
        for (_, answer), outcome in zip(batch, outcomes, strict=True):
            if not answer.done():
                answer.set_result(outcome)
        return True


def _fail(answer: asyncio.Future[Outcome], error: Exception) -> None:
    if not answer.done():
        answer.set_exception(error)
