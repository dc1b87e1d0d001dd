"""The job that notices sites without visits: every hour, in one of several processes; each silence is told once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from grapevine.analytics.models.silence import LEAST_HOURS, PAST_DAYS, Silence, judge
from grapevine.background.leases import Leases
from grapevine.background.periodic import log_failures
from grapevine.background.task import background_task
from grapevine.domain import ids
from grapevine.domain.periods import Clock, rfc3339
from grapevine.sites.cache import Site, SiteCache
from grapevine.store.base import Store
from grapevine.telemetry.job_runs import JobRuns
from grapevine.webhooks.payloads import SiteSilent
from grapevine.webhooks.signing import Random, event, new_id

log = logging.getLogger(__name__)

EVENT: Final = "site.silent"
_JOB: Final = "silences"
_LATE_MS: Final = 60_000
"""So long after a full hour its visits are looked at: they are stored by then."""
_HOURS_OF_TWO_DAYS: Final = 48


class SilenceWatch:
    """Tells of silent sites; ``on_event`` is called when an event was put into the outbox.

    A process can only say what it has watched: silence before its start may be its server's own.
    """

    def __init__(
        self, store: Store, sites: SiteCache, clock: Clock, leases: Leases, random: Random, on_event: Callable[[], None]
    ) -> None:
        self._store = store
        self._sites = sites
        self._clock = clock
        self._leases = leases
        self._random = random
        self._on_event = on_event
        self._began = clock()

    @asynccontextmanager
    async def running(self, jobs: JobRuns) -> AsyncIterator[None]:
        """Runs the job a minute after each full hour, as long as the block runs."""
        async with background_task(self._look_periodically(jobs), _JOB):
            yield

    async def look(self) -> int:
        """Looks at all sites, unless another process does. Returns the number of silences that were told."""
        if not await self._leases.acquire(_JOB):  # never released: other processes' clocks may be behind
            return 0
        end = self._clock() // ids.HOUR_MS
        lasting = await self._store.silences.lasting()
        return sum([await self._look_at(site, end, lasting.get(site.site_id)) for site in await self._sites.all()])

    async def _look_periodically(self, jobs: JobRuns) -> None:
        look = jobs.timed(_JOB, self.look)
        while True:
            await asyncio.sleep((ids.HOUR_MS - (self._clock() - _LATE_MS) % ids.HOUR_MS) / 1000)
            await log_failures(_JOB, look())

    async def _look_at(self, site: Site, end: int, lasting: int | None) -> bool:
        """Looks at the hours of a site before ``end``, an hour since 1970; ``lasting`` is when its silence began."""
        last = await self._store.silences.visits_by_hour(site.site_id, end, _HOURS_OF_TWO_DAYS)
        if any(last[-LEAST_HOURS:]):
            if lasting is not None:
                after = (hour * ids.HOUR_MS for hour, visits in enumerate(last, end - len(last)) if visits)
                await self._store.silences.end(site.site_id, lasting, next(at for at in after if at >= lasting))
            return False
        watched = end - -(-self._began // ids.HOUR_MS)
        if lasting is not None or watched < LEAST_HOURS:
            return False
        hours = await self._store.silences.visits_by_hour(site.site_id, end, PAST_DAYS * 24)
        start = end - len(hours)
        told = {
            hour - start
            for began, ended in await self._store.silences.told(site.site_id, start * ids.HOUR_MS)
            for hour in range(began // ids.HOUR_MS, ended // ids.HOUR_MS)
        }
        found = judge(hours, watched, told)
        return found is not None and await self._tell(site, found, end)

    async def _tell(self, site: Site, silence: Silence, end: int) -> bool:
        since = (end - silence.hours) * ids.HOUR_MS
        now = self._clock()
        data = SiteSilent(
            site=site.key,
            since=rfc3339(since),
            hours=silence.hours,
            expected=round(silence.missed, 1),
            visits_a_day=round(silence.a_day, 1),
            at=rfc3339(now),
        )
        told = event(site.site_id, EVENT, now, data)
        if not await self._store.silences.begin(site.site_id, since, told, lambda: new_id("msg", self._random)):
            return False
        log.warning(
            "site %s has had no visits for %d hours; %.1f were expected", site.key, silence.hours, silence.missed
        )
        self._on_event()
        return True
