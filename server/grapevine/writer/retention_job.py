"""Retention: deletes visits, and all that hangs on them, of whole days that are older than the setting says.

The job first stores the horizon, the first day that is kept, and then deletes what is before it, the oldest day first,
a few rows a transaction. Each transaction leaves a store in which everything agrees, so the job may be interrupted at
any moment, and may run in two processes at once. What stays is decided in ``retained_rows``.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Collection
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
from grapevine.store.repositories.retention import OldVisit, VisitKey, first_compared_day
from grapevine.store.rows import VisitRow
from grapevine.store.write_batch import Batch
from grapevine.telemetry.job_runs import JobRuns
from grapevine.writer.link_removal import LINK, remove_links
from grapevine.writer.nonces import GUARD_CONVERSION, Nonces
from grapevine.writer.retained_rows import DeletedCounts, kept_shares

log = logging.getLogger(__name__)

_JOB: Final = "retention"
_EVERY_SECONDS: Final = 60.0
"""Where nothing is due, nothing is asked of the store. A killed process holds its lease for so long."""

STEP_SECONDS: Final = 0.003
SHARED_STEP_SECONDS: Final = 0.03
"""What a transaction may take before its commit. On SQLite it runs on the thread of the event loop, so that every
request waits for it; on PostgreSQL most of it is the network, and only writers of the same cascades wait."""

_FEWEST: Final = 10
_MOST: Final = 500
_FIRST: Final = 50
_MOST_JUMP_MS: Final = 3_600_000
"""A clock that was set by more while the process runs is not believed: it could delete everything at once."""


class RetentionJob:
    """Deletes what is older than ``days`` whole days; today counts as one more. ``pause`` waits so many seconds."""

    def __init__(
        self,
        store: Store,
        days: int,
        leases: Leases,
        clock: Clock,
        nonces: Nonces,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._days = days
        self._lease = JobLease(leases, _JOB, clock, needed=store.shared)
        self._clock = clock
        self._nonces = nonces
        self._pace = Pace(pause)
        self._limit = _FIRST
        self._behind: dict[int, int] = {}
        self._step_seconds = SHARED_STEP_SECONDS if store.shared else STEP_SECONDS
        self._finished: int | None = None
        self._ahead = clock() - _uptime_ms()

    async def run(self) -> int:
        """Deletes everything that is due, unless another process does. Returns how many visits were deleted."""
        now = self._clock()
        if abs(now - _uptime_ms() - self._ahead) > _MOST_JUMP_MS:
            log.warning("the clock was set by more than an hour: nothing is deleted before the next start")
            return 0
        wanted = ids.day_at(now) - self._days
        if wanted <= 0 or wanted == self._finished or not await self._lease.holds():
            return 0
        # The stored day is later where a clock was wrong once, or the days were fewer. What came since is kept.
        stored = await self._store.retention.raise_horizon(wanted)
        deleted = await self._delete_visits(wanted, ids.day_start(first_compared_day(stored)))
        await self._delete_others(wanted)
        if await self._lease.holds():
            self._finished = wanted
            await self._lease.release()
        if deleted:
            self._store.truncate_log()
            log.info("%d visits from before %s were deleted", deleted, ids.day_date(wanted))
        return deleted

    async def _delete_visits(self, horizon: int, since: int) -> int:
        deleted = 0
        self._behind.clear()
        oldest = await self._store.retention.oldest_days(horizon)
        heapq.heapify(oldest)
        while oldest:
            day, site_id = heapq.heappop(oldest)
            while visits := await self._oldest_visits(site_id, day + 1, self._limit):
                if not await self._lease.holds():
                    return deleted
                # Links that are in use stay at the front for years: each run passes over them once.
                self._behind[site_id] = visits[-1].visit_id
                old = [(visit.site_id, visit.visit_id, visit.cell) for visit in visits if not visit.is_kept]
                if old:
                    deleted += await self._step(old, since)
            for visit in await self._oldest_visits(site_id, horizon, 1):
                heapq.heappush(oldest, (ids.day_of(visit.visit_id), site_id))
        return deleted

    async def _oldest_visits(self, site_id: int, before: int, limit: int) -> list[OldVisit]:
        behind = self._behind.get(site_id, -1)
        return await self._store.retention.oldest_visits(site_id, before, limit, behind, self._clock())

    async def _delete_others(self, horizon: int) -> None:
        """Deletes what belongs to no visit, or to one that is deleted already."""
        start = ids.day_start(horizon)
        kept = self._store.retention
        # The last return to a cascade may have arrived on the day before the one that its id names.
        deletions = (
            kept.delete_answers(start),
            kept.delete_cascades(start - ids.DAY_MS),
            kept.delete_deliveries(start),
            kept.delete_webmentions(start),
            kept.delete_mentions(start),
        )
        for deletion in deletions:
            self._pace.begin()
            async for _ in deletion:
                if not await self._lease.holds():
                    return
                await self._pace.rest()
        await kept.delete_notes(horizon)

    async def _step(self, visits: list[VisitKey], since: int) -> int:
        """Deletes some visits in one transaction; fewer in the next one where this took long."""
        self._pace.begin()
        # What a failure of the machine undoes is deleted again after it, so that no request waits for the disk.
        async with self._store.batch(durable=False) as batch:
            begun = time.perf_counter()
            stored = await batch.held_visits(visits)
            held = [(row.site_id, row.visit_id, row.cell) for row in stored.values()]
            shares = await batch.deletion.shares(held)
            unfurls = await batch.deletion.unfurls(held)
            conversions = await batch.deletion.conversions(held)
            counts = DeletedCounts(stored, since)
            counts.add_shares(shares)
            counts.add_unfurls(unfurls)
            counts.add_conversions(conversions)
            guards = sorted(
                (each.site_id, GUARD_CONVERSION, each.event_key, ids.hashed_cell(each.event_key), each.visit_id)
                for each in conversions
            )
            await batch.deletion.delete(held, kept_shares(shares, unfurls), counts.rows(), guards)
            await batch.receipts.forget_visits(held)
            await self._settle_links(batch, stored.values())
            took = time.perf_counter() - begun
        self._limit = max(_FEWEST, min(_MOST, int(len(visits) * self._step_seconds / took) + 1))
        await self._pace.rest()
        return len(held)

    async def _settle_links(self, batch: Batch, visits: Collection[VisitRow]) -> None:
        """Deletes the minted links among ``visits``, and notes on others when the last of ``visits`` came back."""
        returns: dict[VisitKey, int] = {}
        for row in visits:
            if row.parent_id is not None and not row.is_aside:
                link = (row.site_id, row.root, row.cell)
                returns[link] = max(returns.get(link, 0), row.at)
        await batch.link_removals.note_last_returns(returns)
        nodes = [(row.site_id, row.visit_id, row.cell) for row in visits if row.source == LINK]
        await batch.receipts.forget_sharers(nodes)
        await remove_links(batch, self._nonces, await batch.link_removals.links(nodes), self._clock())


def _uptime_ms() -> int:
    """Returns the milliseconds since the machine started, those of its sleep included where it says so."""
    return time.clock_gettime_ns(getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)) // 1_000_000


@asynccontextmanager
async def retention(
    store: Store, days: int, leases: Leases, clock: Clock, nonces: Nonces, jobs: JobRuns
) -> AsyncIterator[None]:
    """Deletes what is older than ``days`` days at once and then every minute while the block runs, in one process of
    several; nothing where ``days`` is 0. Errors are logged."""
    if not days:
        yield
        return
    work = jobs.timed(_JOB, RetentionJob(store, days, leases, clock, nonces).run)

    async def loop() -> None:
        while True:
            await log_failures(_JOB, work())
            await asyncio.sleep(_EVERY_SECONDS)

    async with background_task(loop(), _JOB):
        yield
