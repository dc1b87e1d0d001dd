"""Drops external ids of minted links 24 months after their last use.

The index of links with an external id is walked once a day, the oldest first, some links a transaction. Links that are
in use stay in it, so a run goes on behind those that it has seen. It may be interrupted at any moment.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from grapevine.background.job_lease import JobLease
from grapevine.background.leases import Leases
from grapevine.background.pace import Pace
from grapevine.background.periodic import log_failures
from grapevine.background.task import background_task
from grapevine.domain import ids
from grapevine.domain.periods import Clock
from grapevine.store.base import Store
from grapevine.store.repositories.links import LinkRow
from grapevine.telemetry.job_runs import JobRuns
from grapevine.writer.link_names import EXTERNAL_ID, names_of
from grapevine.writer.nonces import Nonces

log = logging.getLogger(__name__)

EXTERNAL_ID_MS: Final = 24 * 365 * ids.DAY_MS // 12
"""For so long after the last click, scan or return an external id stays."""

_JOB: Final = "link expiry"
_EVERY_SECONDS: Final = 60.0
_AT_ONCE: Final = 100


class LinkExpiryJob:
    """Drops what is over, once a day. ``pause`` waits so many seconds."""

    def __init__(
        self,
        store: Store,
        nonces: Nonces,
        leases: Leases,
        clock: Clock,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._nonces = nonces
        self._lease = JobLease(leases, _JOB, clock, needed=store.shared)
        self._clock = clock
        self._pace = Pace(pause)
        self._finished: int | None = None

    async def run(self) -> int:
        """Drops all that is due today, unless another process does. Returns how many external ids were dropped."""
        now = self._clock()
        today = ids.day_at(now)
        if today == self._finished or not await self._lease.holds():
            return 0
        dropped, behind = 0, None
        self._pace.begin()
        while links := await self._store.link_expiry.old_external_ids(now - EXTERNAL_ID_MS, behind, _AT_ONCE):
            if not await self._lease.holds():
                return dropped
            behind = links[-1]
            dropped += await self._drop(links, now - EXTERNAL_ID_MS)
            await self._pace.rest()
        if await self._lease.holds():
            self._finished = today
            await self._lease.release()
        if dropped:
            self._store.truncate_log()
            log.info("%d external ids of links that were not used for 24 months were dropped", dropped)
        return dropped

    async def _drop(self, links: list[LinkRow], before: int) -> int:
        """Drops the external ids of those of ``links`` that were not used since ``before``. Returns how many."""
        last_uses = await self._store.link_expiry.last_uses(links)
        over = [link for link in links if last_uses.get((link.site_id, link.visit_id), before) < before]
        if over:
            names = [name for name in names_of(self._nonces, over) if name.kind == EXTERNAL_ID]
            await self._store.link_expiry.drop_external_ids(over, names)
        return len(over)


@asynccontextmanager
async def link_expiry(store: Store, nonces: Nonces, leases: Leases, clock: Clock, jobs: JobRuns) -> AsyncIterator[None]:
    """Drops what is over at once and then every day while the block runs, in one process of several. Errors are
    logged."""
    work = jobs.timed(_JOB, LinkExpiryJob(store, nonces, leases, clock).run)

    async def loop() -> None:
        while True:
            await log_failures(_JOB, work())
            await asyncio.sleep(_EVERY_SECONDS)

    async with background_task(loop(), _JOB):
        yield
