"""Rows that one process holds at a time: a writer's slot, and the right to run a background job.

A holder prolongs what it has; who dies loses it when its time is over. Where clocks differ, or a process was asleep,
two may think that they hold the same: counts of one slot add up all the same, and every job may run twice.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from itertools import chain
from typing import Final

from grapevine.background.task import background_task
from grapevine.domain.ids import CELLS
from grapevine.domain.periods import Clock
from grapevine.errors import StoreError
from grapevine.store.repositories.leases import LeaseRepository

log = logging.getLogger(__name__)

LEASE_MS: Final = 60_000
_PROLONG_SECONDS: Final = 20.0


class Leases:
    """What this process, ``holder``, may hold. ``pause`` waits so many seconds."""

    def __init__(
        self,
        repository: LeaseRepository,
        clock: Clock,
        holder: str,
        pause: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._repository = repository
        self._clock = clock
        self._holder = holder
        self._pause = pause

    async def acquire(self, name: str) -> bool:
        """Takes or prolongs a lease; False while somebody else has it."""
        now = self._clock()
        return await self._repository.acquire_lease(name, self._holder, now, now + LEASE_MS)

    async def release(self, name: str) -> None:
        """Gives a lease back."""
        await self._repository.release_lease(name, self._holder)

    @asynccontextmanager
    async def slot(self, tell: Callable[[int], None], lanes: int = 1) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Holds a writer's slot for each of its lanes while the block runs; ``tell`` hears which is the first of them,
        again whenever it is another one.

        The block gets what to call when the counts of the slot may be on a part of the store that is away.
        """
        held = await self._free_slot(lanes)
        tell(held)

        async def elsewhere() -> None:
            nonlocal held
            with suppress(StoreError):  # then the slot stays what it is
                left, held = held, await self._free_slot(lanes, held + lanes)
                tell(held)
                await self.release(_slot(left))

        async def keep() -> None:
            nonlocal held
            while True:
                await self._pause(_PROLONG_SECONDS)
                try:
                    if not await self.acquire(_slot(held)):
                        held = await self._free_slot(lanes)
                        tell(held)
                except StoreError as error:
                    log.error("the writer's slot could not be prolonged and will be: %s", error)

        try:
            async with background_task(keep(), "slot"):
                yield elsewhere
        finally:
            with suppress(StoreError):  # it falls by itself
                await self.release(_slot(held))

    async def _free_slot(self, lanes: int, first: int = 0) -> int:
        last = CELLS - lanes + 1
        for slot in chain(range(first, last, lanes), range(0, min(first, last), lanes)):
            if await self.acquire(_slot(slot)):
                return slot
        raise StoreError(f"all {CELLS} writers' slots are taken; are so many processes running?")


def _slot(number: int) -> str:
    return f"slot {number}"
