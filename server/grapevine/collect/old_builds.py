"""Which sites still have an older build of the widget: noted in memory, stored in the background once a day."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from typing import Final

from grapevine.background.periodic import repeated
from grapevine.store.rows import SiteRow
from grapevine.telemetry.job_runs import JobRuns

EVERY_SECONDS: Final = 300.0
"""Each time makes all processes read the sites anew, so it is seldom; the day that is stored lasts for two weeks."""

_JOB: Final = "older builds"


class OldBuilds:
    """The sites on which this process has seen an older build today. No request waits for ``store``, which stores the
    day of some sites."""

    def __init__(self, store: Callable[[Sequence[int], int], Awaitable[None]]) -> None:
        self._store = store
        self._waiting: dict[int, int] = {}

    def note(self, site: SiteRow, day: int) -> None:
        """Notes that a visit of ``day`` did not name its build, as builds before that field do not; or that it is the
        first one since such visits are noted, when caches may still hold such a build."""
        if site.old_build_day < day:
            self._waiting[site.site_id] = day

    @asynccontextmanager
    async def running(self, jobs: JobRuns) -> AsyncIterator[None]:
        """Stores what is noted every few minutes while the block runs, and the rest at its end."""
        async with repeated(_JOB, EVERY_SECONDS, jobs.timed(_JOB, self.store), at_end=True):
            yield

    async def store(self) -> None:
        """Stores what is noted. Sites of a failed attempt are lost until an older build is seen there again."""
        waiting, self._waiting = self._waiting, {}
        for day in sorted(set(waiting.values())):
            await self._store([site for site, seen in waiting.items() if seen == day], day)
