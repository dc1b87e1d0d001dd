"""Work that has to be done again and again, by one process of several."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from grapevine.background.leases import Leases
from grapevine.background.task import background_task
from grapevine.errors import StoreError

log = logging.getLogger(__name__)


@asynccontextmanager
async def periodic(
    name: str, seconds: float, work: Callable[[], Awaitable[object]], leases: Leases
) -> AsyncIterator[None]:
    """Does ``work`` whenever so many seconds have passed, as long as the block runs, unless another process is at it.

    What fails is done the next time all the same.
    """

    async def again_and_again() -> None:
        while True:
            await asyncio.sleep(seconds)
            await log_failures(name, run_if_leased(name, work, leases))

    async with background_task(again_and_again(), name):
        yield


async def log_failures(name: str, work: Awaitable[object]) -> None:
    """Waits for ``work`` that is tried again when it fails. That is logged, with a trace unless the store was away, and
    goes no further: nobody would miss work that had ended for good."""
    try:
        await work
    except StoreError as error:
        log.error("%s failed and will be tried again: %s", name, error)
    except Exception:
        log.exception("%s failed and will be tried again", name)


async def run_if_leased(name: str, work: Callable[[], Awaitable[object]], leases: Leases) -> None:
    """Does ``work`` now, unless another process is at it."""
    if await leases.acquire(name):
        await work()
        await leases.release(name)
