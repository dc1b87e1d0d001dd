"""Periodic jobs: of every process, or run by one process of several."""

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
    """Runs ``work`` every ``seconds`` while the block runs, in the process that holds the lease ``name``.

    Errors are logged; the next run takes place all the same.
    """
    async with repeated(name, seconds, lambda: run_if_leased(name, work, leases)):
        yield


@asynccontextmanager
async def repeated(
    name: str, seconds: float, work: Callable[[], Awaitable[object]], *, at_end: bool = False
) -> AsyncIterator[None]:
    """Runs ``work`` every ``seconds`` while the block runs, in every process; with ``at_end`` once more at its end.

    Errors are logged; the next run takes place all the same.
    """

    async def loop() -> None:
        while True:
            await asyncio.sleep(seconds)
            await log_failures(name, work())

    try:
        async with background_task(loop(), name):
            yield
    finally:
        if at_end:
            await log_failures(name, work())


async def log_failures(name: str, work: Awaitable[object]) -> None:
    """Awaits ``work``; logs an exception instead of raising it, with a traceback unless it is a StoreError."""
    try:
        await work
    except StoreError as error:
        log.error("%s failed and will be tried again: %s", name, error)
    except Exception:
        log.exception("%s failed and will be tried again", name)


async def run_if_leased(name: str, work: Callable[[], Awaitable[object]], leases: Leases) -> None:
    """Runs ``work`` now, if this process gets the lease ``name``."""
    if await leases.acquire(name):
        await work()
        await leases.release(name)
