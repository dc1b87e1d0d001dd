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
from grapevine.sites import Clock
from grapevine.store.base import Store

log = logging.getLogger(__name__)

_EVERY_SECONDS: Final = 600


@asynccontextmanager
async def housekeeping(store: Store, clock: Clock) -> AsyncIterator[None]:
    """Tidies at once and then every ten minutes, as long as the block runs."""
    await tidy(store, clock())
    async with beside(_again_and_again(store, clock), "housekeeping"):
        yield


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
