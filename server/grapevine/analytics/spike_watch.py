"""The job that detects spikes: every five minutes, in one of several processes; each spike is raised once."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Final

from grapevine.analytics.models.spike_detection import (
    CALM_MS,
    FEWEST_RETURNS,
    HOURS,
    Episode,
    Spike,
    goes_on,
    judge,
    rhythm,
    set_apart,
)
from grapevine.background.leases import Leases
from grapevine.background.periodic import log_failures
from grapevine.background.task import background_task
from grapevine.domain import ids
from grapevine.domain.periods import Clock, rfc3339
from grapevine.sites.cache import Site, SiteCache
from grapevine.store.base import Store
from grapevine.store.readers.scope import Scope
from grapevine.store.repositories.spikes import SpikePage, SpikeRow
from grapevine.telemetry.job_runs import JobRuns
from grapevine.webhooks.payloads import SpikeDetected
from grapevine.webhooks.signing import Random, event, new_id

log = logging.getLogger(__name__)

LOOK_MS: Final = 300_000
EVENT: Final = "spike.detected"
MOST_LOOKED_AT: Final = 1_000
_JOB: Final = "spikes"
_PAST_DAYS: Final = 28
_REACH_MS: Final = HOURS * ids.HOUR_MS + CALM_MS


class SpikeWatch:
    """Raises the spikes of all sites; ``on_event`` is called when an event was put into the outbox."""

    def __init__(
        self, store: Store, sites: SiteCache, clock: Clock, leases: Leases, random: Random, on_event: Callable[[], None]
    ) -> None:
        self._store = store
        self._sites = sites
        self._clock = clock
        self._leases = leases
        self._random = random
        self._on_event = on_event

    @asynccontextmanager
    async def running(self, jobs: JobRuns) -> AsyncIterator[None]:
        """Runs the job at every fifth minute of the clock, as long as the block runs."""
        async with background_task(self._look_periodically(jobs), _JOB):
            yield

    async def look(self) -> int:
        """Looks at all sites, unless another process does. Returns the number of raised spikes.

        The hour looked at ends with the last full five minutes, so that two looks of the same five minutes are one.
        """
        if not await self._leases.acquire(_JOB):  # never released: other processes' clocks may be behind
            return 0
        now = self._clock()
        end, raised = now - now % LOOK_MS, 0
        for site in await self._sites.all():
            raised += await self._look_at(site, end)
        return raised

    async def _look_periodically(self, jobs: JobRuns) -> None:
        look = jobs.timed(_JOB, self.look)
        while True:
            await asyncio.sleep((LOOK_MS - self._clock() % LOOK_MS) / 1000)
            await log_failures(_JOB, look())

    async def _look_at(self, site: Site, end: int) -> int:
        spikes, today = self._store.spikes, ids.day_at(end)
        days = range(ids.day_at(end - ids.HOUR_MS), today + 1)
        busy = await spikes.busy(site.site_id, days, FEWEST_RETURNS, MOST_LOOKED_AT)
        last = await spikes.returns(site.site_id, busy, end, 1) if busy else {}
        many = [page for page, (returns,) in last.items() if returns >= FEWEST_RETURNS]
        if not many:
            return 0
        site_pages = len(await spikes.busy(site.site_id, range(today - _PAST_DAYS, today + 1), 1))
        usual = rhythm(await self._by_hour(site, today), end)
        seen = await spikes.episodes(site.site_id, end - _REACH_MS)
        known, raised = await spikes.pages(site.site_id, many), 0
        past = await spikes.returns(site.site_id, known, end, HOURS + 1)
        for page_id, page in known.items():
            episodes = [Episode(*each) for each in seen.get(page_id, ())]
            # A page younger than the window has no returns before its first day: those hours say nothing.
            hours = past[page_id][: (end - ids.day_start(page.first_day)) // ids.HOUR_MS + 1]
            found = judge(hours, usual, site_pages, set_apart(episodes, end))
            if found is not None:
                raised += await self._raise(site, page_id, page, found, goes_on(episodes, end), end)
        return raised

    async def _by_hour(self, site: Site, today: int) -> list[int]:
        scope = Scope(site.site_id, ids.day_start(today - _PAST_DAYS), ids.day_start(today + 1))
        counts = await self._store.reads.summary.counts("day", scope, "hour")
        return [counts[hour].returns if hour in counts else 0 for hour in range(24)]

    async def _raise(
        self, site: Site, page_id: int, page: SpikePage, spike: Spike, running: Episode | None, end: int
    ) -> bool:
        if running is not None:
            await self._store.spikes.prolong(site.site_id, page_id, running.started_at, end, spike.returns)
            return False
        data = SpikeDetected(
            site=site.key,
            page=page.url,
            at=rfc3339(end),
            minutes=60,
            returns=spike.returns,
            expected=round(spike.expected, 2),
            times=round(spike.returns / spike.expected, 1),
            probability=spike.probability,
        )
        row = SpikeRow(
            page_id=page_id,
            started_at=end,
            last_at=end,
            returns=spike.returns,
            expected=spike.expected,
            peak=spike.returns,
        )
        detected = event(site.site_id, EVENT, end, data)
        if not await self._store.spikes.raise_spike(site.site_id, row, detected, lambda: new_id("msg", self._random)):
            return False
        log.info("spike on %s: %d returns in an hour, %.1f expected", page.url, spike.returns, spike.expected)
        self._on_event()
        return True
