"""Leases: rows that one process holds at a time, for a writer's slot or the right to run a background job.

A holder renews its leases; those of a dead process expire. Where clocks differ, or a process was suspended, two may
believe that they hold the same lease. That is harmless: counts of one slot add up, and every job may run twice.
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
_RENEW_SECONDS: Final = 20.0


class Leases:
    """The leases of this process, ``holder``. ``pause`` waits so many seconds."""

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
        """Acquires or renews a lease. Returns False while another process holds it."""
        now = self._clock()
        return await self._repository.acquire_lease(name, self._holder, now, now + LEASE_MS)

    async def release(self, name: str) -> None:
        """Releases a lease; no-op if this process does not hold it."""
        await self._repository.release_lease(name, self._holder)

    @asynccontextmanager
    async def slot(
        self, on_slot: Callable[[int], None], count: int = 1
    ) -> AsyncIterator[Callable[[], Awaitable[None]]]:
        """Holds ``count`` adjacent slots while the block runs; calls ``on_slot`` with the first of them.

        Yields a function that moves to other slots, for counts that are on a missing part of the store.
        """
        held = await self._free_slot(count)
        on_slot(held)

        async def move() -> None:
            nonlocal held
            with suppress(StoreError):  # then the slot stays what it is
                left, held = held, await self._free_slot(count, held + count)
                on_slot(held)
                await self.release(_slot(left))

        async def renew() -> None:
            nonlocal held
            while True:
                await self._pause(_RENEW_SECONDS)
                try:
                    if not await self.acquire(_slot(held)):
                        held = await self._free_slot(count)
                        on_slot(held)
                except StoreError as error:
                    log.error("the writer's slot could not be prolonged and will be: %s", error)

        try:
            async with background_task(renew(), "slot"):
                yield move
        finally:
            with suppress(StoreError):  # it expires
                await self.release(_slot(held))

    async def _free_slot(self, count: int, first: int = 0) -> int:
        last = CELLS - count + 1
        for slot in chain(range(first, last, count), range(0, min(first, last), count)):
            if await self.acquire(_slot(slot)):
                return slot
        raise StoreError(
            f"all {CELLS} places for servers on this database are taken: stop some, or wait a minute for those that "
            "were killed"
        )


def _slot(number: int) -> str:
    return f"slot {number}"
