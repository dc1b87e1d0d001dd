"""What has to be forgotten in time: salts after 48 hours, expired guards."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final

from grapevine import ids
from grapevine.errors import StoreError
from grapevine.sites import Clock
from grapevine.store.base import Store

log = logging.getLogger(__name__)

_EVERY_SECONDS: Final = 600


@asynccontextmanager
async def housekeeping(store: Store, clock: Clock) -> AsyncIterator[None]:
    """Tidies at once and then every ten minutes, as long as the block runs."""
    await tidy(store, clock())
    task = asyncio.create_task(_again_and_again(store, clock), name="grapevine-housekeeping")
    try:
        yield
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


async def tidy(store: Store, now: int) -> None:
    """Destroys the visitor salts of all days before yesterday, and guards whose time is over."""
    await store.registry.forget_salts("visitor", ids.day_at(now) - 1)
    await store.registry.forget_guards(now)


async def _again_and_again(store: Store, clock: Clock) -> None:
    while True:
        await asyncio.sleep(_EVERY_SECONDS)
        try:
            await tidy(store, clock())
        except StoreError as error:
            log.error("housekeeping failed and will be tried again: %s", error)
