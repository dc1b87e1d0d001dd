"""Divides the rate limits among the servers that run on one database."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, suppress
from typing import Final

from grapevine.background.task import background_task
from grapevine.collect.rate_limit import RateLimit
from grapevine.domain.periods import Clock
from grapevine.errors import StoreError
from grapevine.store.repositories.leases import LeaseRepository

COUNT_SECONDS: Final = 5.0
"""How often a server counts the others: for so long a new one is not noticed."""


def holder(limit: RateLimit) -> str:
    """Returns a name under which a process holds leases: its server's, and what tells it from its siblings."""
    return f"{limit.server}-{secrets.token_hex(8)}"


def servers_of(holders: Iterable[str]) -> int:
    """Returns how many servers the processes belong to that hold writers' slots, at least one."""
    return max(1, len({name.partition("-")[0] for name in holders}))


@asynccontextmanager
async def dividing(limit: RateLimit, leases: LeaseRepository, clock: Clock) -> AsyncIterator[None]:
    """Gives out this server's part of the limits while the block runs.

    Servers are counted by the writers' slots that their processes hold. One that was killed counts until its slots
    expire, within a minute; until then the others give out less than the limit, never more.
    """

    async def count() -> None:
        with suppress(StoreError):  # then the part stays what it is
            limit.divide(servers_of(await leases.slot_holders(clock())))

    async def watch() -> None:
        while True:
            await asyncio.sleep(COUNT_SECONDS)
            await count()

    await count()
    async with background_task(watch(), "servers"):
        yield
