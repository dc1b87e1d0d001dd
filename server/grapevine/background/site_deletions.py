"""Carries out the deletions of sites that were asked for through the API, one after another, and goes on with them
after a restart."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress
from typing import Final

from grapevine.background.job_lease import JobLease
from grapevine.background.leases import Leases
from grapevine.background.periodic import log_failures
from grapevine.background.task import background_task
from grapevine.domain.periods import Clock
from grapevine.sites.deletion import SiteDeletion
from grapevine.store.base import Store
from grapevine.telemetry.job_runs import JobRuns

EVERY_SECONDS: Final = 60.0
"""How often a process looks for deletions that another one began, and left when it ended."""
_JOB: Final = "site deletions"


class SiteDeletions:
    """The deletions of a server; of several processes one carries them out."""

    def __init__(self, store: Store, leases: Leases, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._lease = JobLease(leases, _JOB, clock, needed=store.shared)
        self._begun = asyncio.Event()

    async def begin(self, site_id: int) -> None:
        """Takes a site out of use; its rows are deleted in the background."""
        await self._store.site_deletion.begin(site_id, self._clock(), by_server=True)
        self._begun.set()

    @asynccontextmanager
    async def running(self, jobs: JobRuns) -> AsyncIterator[None]:
        """Works while the block runs."""
        async with background_task(self._work_for_ever(jobs.timed(_JOB, self.run)), _JOB):
            yield

    async def run(self) -> None:
        """Carries out all deletions that were begun, if no other process does."""
        for site_id in await self._store.site_deletion.by_server():
            if not await self._lease.holds():
                return
            await SiteDeletion(self._store, self._clock, self._pause).run(site_id)
        await self._lease.release()

    async def _work_for_ever(self, work: Callable[[], Awaitable[object]]) -> None:
        while True:
            await log_failures(_JOB, work())
            with suppress(TimeoutError):
                async with asyncio.timeout(EVERY_SECONDS):
                    await self._begun.wait()
            self._begun.clear()

    async def _pause(self, seconds: float) -> None:
        await self._lease.holds()  # renews it
        await asyncio.sleep(seconds)
