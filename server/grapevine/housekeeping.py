"""What has to be forgotten in time: salts after 48 hours, expired guards."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from grapevine import ids
from grapevine.jobs import job, once
from grapevine.leases import Leases
from grapevine.sites import Clock
from grapevine.store.base import Store

_EVERY_SECONDS: Final = 600
_JOB: Final = "housekeeping"


@asynccontextmanager
async def housekeeping(store: Store, clock: Clock, leases: Leases) -> AsyncIterator[None]:
    """Tidies at once and then every ten minutes, as long as the block runs; of several processes one does."""

    async def work() -> None:
        await tidy(store, clock())

    await once(_JOB, work, leases)
    async with job(_JOB, _EVERY_SECONDS, work, leases):
        yield


async def tidy(store: Store, now: int) -> None:
    """Destroys the visitor salts of all days before yesterday, and guards whose time is over."""
    await store.registry.forget_salts("visitor", ids.day_at(now) - 1)
    await store.registry.forget_guards(now)
