"""What has to be forgotten in time: salts after 48 hours, expired guards."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from grapevine import ids
from grapevine.beside import beside
from grapevine.errors import StoreError
from grapevine.leases import Leases
from grapevine.sites import Clock
from grapevine.store.base import Store

log = logging.getLogger(__name__)

_EVERY_SECONDS: Final = 600
_JOB: Final = "housekeeping"


@asynccontextmanager
async def housekeeping(store: Store, clock: Clock, leases: Leases) -> AsyncIterator[None]:
    """Tidies at once and then every ten minutes, as long as the block runs; of several processes one does."""
    await _tidy_if_ours(store, clock, leases)
    async with beside(_again_and_again(store, clock, leases), "housekeeping"):
        yield


async def tidy(store: Store, now: int) -> None:
    """Destroys the visitor salts of all days before yesterday, and guards whose time is over."""
    await store.registry.forget_salts("visitor", ids.day_at(now) - 1)
    await store.registry.forget_guards(now)


async def _tidy_if_ours(store: Store, clock: Clock, leases: Leases) -> None:
    if await leases.take(_JOB):
        await tidy(store, clock())
        await leases.give(_JOB)


async def _again_and_again(store: Store, clock: Clock, leases: Leases) -> None:
    while True:
        await asyncio.sleep(_EVERY_SECONDS)
        try:
            await _tidy_if_ours(store, clock, leases)
        except StoreError as error:
            log.error("housekeeping failed and will be tried again: %s", error)
