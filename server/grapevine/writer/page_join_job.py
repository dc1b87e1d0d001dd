"""Joins pages that were stored under several addresses and are one page (docs/decisions/0047): spellings of one
address, and addresses that differ in parameters that only track. A page's number is a hash of its address, and visits,
shares, cascades, spikes and counts name pages by their number. Addresses that shares have of their own get the new
spelling, too.

The job works in steps of small transactions while the server serves, and starts a step over when it was interrupted:
what a step has done already is found no more. First every row is given its new page, then the counts of the old page
are added to those of the new one: a row that a batch changes in between raises the counts of the page that it names,
and none names the old page any more when the counts move. Until the last step both pages have their address, so that
whatever names either is resolved.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Final, TypeVar

import msgspec

from grapevine.background.job_lease import JobLease
from grapevine.background.leases import Leases
from grapevine.background.pace import Pace
from grapevine.background.periodic import log_failures
from grapevine.background.task import background_task
from grapevine.domain import ids
from grapevine.domain.periods import Clock
from grapevine.domain.urls import joined_url, page_id
from grapevine.store.base import Store
from grapevine.store.repositories.page_joins import CASCADES, COUNTING, SHARES, PagedTable, Row
from grapevine.store.rows import PageRow
from grapevine.telemetry.job_runs import JobRuns

log = logging.getLogger(__name__)

_JOB: Final = "page joins"
_EVERY_SECONDS: Final = 60.0
_READ_AT_ONCE: Final = 500
_CHANGED_AT_ONCE: Final = 50
"""On SQLite these rows are changed on the thread of the event loop: two milliseconds."""

T = TypeVar("T")


class PageJoinJob:
    """Joins pages once, after a change of the rule that says which addresses are one page. ``pause`` waits so many
    seconds."""

    def __init__(
        self,
        store: Store,
        leases: Leases,
        clock: Clock,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._joins = store.page_joins
        self._lease = JobLease(leases, _JOB, clock, needed=store.shared)
        self._pace = Pace(pause)
        self._keep: dict[int, frozenset[str] | None] = {}
        self._joined = 0

    @property
    def steps(self) -> Sequence[Callable[[], Awaitable[bool]]]:
        """The steps in their order; each returns whether it came to its end."""
        return (
            self._find,
            self._point_visits,
            *(partial(self._point_shares, table) for table in SHARES),
            self._point_cascades,
            self._move_spikes,
            *(partial(self._move_counts, table) for table in COUNTING),
            self._delete,
        )

    async def run(self) -> bool:
        """Joins the pages that are left to be joined, unless another process does. Returns whether all are joined."""
        steps = self.steps
        self._pace.begin()
        if await self._joins.step() < len(steps):
            await self._read_sites()
        while (step := await self._joins.step()) < len(steps):
            if not await self._lease.holds() or not await steps[step]():
                return False
            nothing_found = step == 0 and await anext(self._joins.joins(1), None) is None
            await self._joins.note_step(len(steps) if nothing_found else step + 1)
        await self._lease.release()
        if self._joined:
            self._store.truncate_log()
            log.info("%d stored addresses of pages were joined with others of the same page", self._joined)
            self._joined = 0
        return True

    async def _read_sites(self) -> None:
        last = -1
        while sites := await self._store.sites.sites_after(last):
            self._keep |= {site.site_id: frozenset(site.keep.split()) for site in sites if site.query == "*"}
            last = sites[-1].site_id

    async def _find(self) -> bool:
        async for pages in self._joins.pages(_READ_AT_ONCE):
            became = {
                (page.site_id, page.page_id): new for page in pages if (new := self._joined_page(page)) is not None
            }
            for some in _parts(became):
                joins = [(site, page, became[site, page].page_id) for site, page in some]
                await self._joins.add(joins, _merged(became[key] for key in some))
                if not await self._rest():
                    return False
            if not await self._rest():
                return False
        return True

    async def _point_visits(self) -> bool:
        async for joins in self._joins.joins(_CHANGED_AT_ONCE):
            for site_id in {site for site, _ in joins}:
                pages = [page for site, page in joins if site == site_id]
                while visits := await self._joins.visits(site_id, pages, _CHANGED_AT_ONCE):
                    rows = sorted((*visit, joins[site_id, visit[3]]) for visit in visits)
                    await self._joins.point_visits(rows)
                    if not await self._rest():
                        return False
        return True

    async def _point_shares(self, table: PagedTable) -> bool:
        found = self._joins.shares_to_join(table, _READ_AT_ONCE, self._joined_url)
        return await self._change(found, partial(self._joins.point, table))

    async def _point_cascades(self) -> bool:
        found = self._joins.rows_to_join(CASCADES, _READ_AT_ONCE)
        return await self._change(found, partial(self._joins.point, CASCADES))

    async def _move_counts(self, table: PagedTable) -> bool:
        found = self._joins.rows_to_join(table, _READ_AT_ONCE)
        return await self._change(found, partial(self._joins.move, table))

    async def _change(self, found: AsyncIterator[list[Row]], change: Callable[[list[Row]], Awaitable[None]]) -> bool:
        async for rows in found:
            for some in _parts(rows):
                await change(some)
                if not await self._rest():
                    return False
            if not await self._rest():
                return False
        return True

    async def _move_spikes(self) -> bool:
        await self._joins.move_spikes()
        return await self._rest()

    async def _delete(self) -> bool:
        async for joins in self._joins.joins(_CHANGED_AT_ONCE):
            pages = await self._joins.named(joins)
            became = ((joins[page.site_id, page.page_id], self._joined_page(page)) for page in pages)
            # Where the site changed its parameters meanwhile, it is not the page that the rows point to.
            await self._joins.delete(joins, _merged(page for number, page in became if page and page.page_id == number))
            self._joined += len(joins)
            if not await self._rest():
                return False
        return True

    def _joined_page(self, page: PageRow) -> PageRow | None:
        """Returns the page that a stored page is now; None where it stays itself."""
        url = self._joined_url(page.site_id, page.url)
        if url == page.url:
            return None
        number = page_id(page.site_id, url)
        return msgspec.structs.replace(page, page_id=number, cell=ids.hashed_cell(number), url=url)

    def _joined_url(self, site_id: int, url: str) -> str:
        return joined_url(url, self._keep.get(site_id))

    async def _rest(self) -> bool:
        """Leaves the store to others after some work. Returns whether the job may go on."""
        await self._pace.rest()
        return await self._lease.holds()


def _merged(pages: Iterable[PageRow]) -> list[PageRow]:
    """Returns each page once, as it was first seen."""
    found: dict[tuple[int, int], PageRow] = {}
    for page in pages:
        other = found.setdefault((page.site_id, page.page_id), page)
        found[page.site_id, page.page_id] = msgspec.structs.replace(
            other, day=min(other.day, page.day), title=other.title or page.title
        )
    return list(found.values())


def _parts(items: Iterable[T]) -> Iterable[list[T]]:
    found = list(items)
    return (found[start : start + _CHANGED_AT_ONCE] for start in range(0, len(found), _CHANGED_AT_ONCE))


@asynccontextmanager
async def page_joins(store: Store, leases: Leases, clock: Clock, jobs: JobRuns) -> AsyncIterator[None]:
    """Joins pages while the block runs until all are joined, in one process of several. Errors are logged."""
    run = jobs.timed(_JOB, PageJoinJob(store, leases, clock).run)

    async def loop() -> None:
        finished = False

        async def work() -> None:
            nonlocal finished
            finished = await run()

        while not finished:
            await log_failures(_JOB, work())
            if not finished:
                await asyncio.sleep(_EVERY_SECONDS)

    async with background_task(loop(), _JOB):
        yield
