"""Erases visits in a process that may be recording others, and keeps its caches right."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Final

from grapevine.domain import ids
from grapevine.domain.periods import Clock
from grapevine.errors import Busy, Interrupted
from grapevine.store.base import Store
from grapevine.store.rows import PageRow, VisitRow
from grapevine.writer.bursts import VisitorDay
from grapevine.writer.counts import CountDeltas
from grapevine.writer.erasure import Erased, Erasure
from grapevine.writer.link_removal import LINK, LinkRemoval
from grapevine.writer.nonces import GUARD_VISITOR
from grapevine.writer.recorder import EventRecorder

log = logging.getLogger(__name__)

MAX_WAITING: Final = 100
"""An erasure looks through the visits of a day, which may take a second on a large site. People ask for few."""

_ATTEMPTS: Final = 5
_PAUSE_SECONDS: Final = 0.1
_DELIVERIES_AT_ONCE: Final = 500
"""Events for webhooks of one transaction: some milliseconds, for which requests of a running server wait on SQLite."""

_RECEIPTS_AT_ONCE: Final = 200


class Eraser:
    """Erases visits, one at a time. ``on_erased`` is called after each, and after those of other processes, within a
    second or so, while ``look`` is called."""

    def __init__(
        self, store: Store, recorder: EventRecorder, clock: Clock, on_erased: Callable[[], None] = lambda: None
    ) -> None:
        self._store = store
        self._recorder = recorder
        self._clock = clock
        self._on_erased = on_erased
        # Of the few connections that write, erasures take one at most.
        self._turn = asyncio.Lock()
        self._waiting = 0
        self.refused = 0
        """How many erasures found no room, since the process started."""
        self._version: int | None = None

    async def erase(self, site_id: int, visit_id: int) -> Erased:
        """Erases a visit and returns what was found of it.

        Raises Busy when too many erasures wait for their turn, StoreError when the store cannot be used.
        """
        async with self._own_turn():
            for attempt in range(1, _ATTEMPTS):
                with suppress(Interrupted):
                    return await self._attempt(site_id, visit_id)
                await asyncio.sleep(attempt * _PAUSE_SECONDS)
            return await self._attempt(site_id, visit_id)

    async def delete_links(self, site_id: int, visit_ids: Sequence[int]) -> int:
        """Deletes those of some minted links that are there, all in one transaction. Returns how many they were.

        Raises as ``erase``.
        """
        async with self._own_turn():
            return await self._delete_links(site_id, visit_ids)

    async def look(self, versions: Mapping[str, int]) -> None:
        """Drops what caches hold if any process erased a visit since the last look; the number of erasures says so."""
        version, before = versions["erasures"], self._version
        self._version = version
        if before not in (None, version):
            self._recorder.forget_all()
            self._on_erased()

    @asynccontextmanager
    async def _own_turn(self) -> AsyncIterator[None]:
        if self._waiting >= MAX_WAITING:
            self.refused += 1
            raise Busy("Too many visits are waiting to be erased; send this again.", retry_after=5)
        self._waiting += 1
        try:
            async with self._turn:
                yield
        finally:
            self._waiting -= 1

    async def _attempt(self, site_id: int, visit_id: int) -> Erased:
        found = await self._store.erasures.visit(site_id, visit_id)
        if found is None:
            return await self._erase_kept(site_id, visit_id)
        if found.source == LINK:
            return Erased.NOW if await self._delete_links(site_id, [visit_id]) else Erased.BEFORE
        return Erased.BEFORE if found.is_erased else await self._erase(found)

    async def _erase(self, found: VisitRow) -> Erased:
        day = ids.day_at(found.at)
        first_visits: list[VisitRow] = []
        if found.visitor is not None and found.verdict is None:
            first_visits = await self._store.erasures.first_visits(found.site_id, day, found.visitor)
        await self._delete_deliveries(found.site_id, [found.visit_id])
        await self._revoke_receipts(found.site_id, found.visit_id)
        async with self._store.batch() as batch:
            erasure = Erasure(batch, self._recorder, found, first_visits, self._clock())
            batch.when_committed(self._on_erased)
            erased = await erasure.run()
        if erased is Erased.NOW:
            self._store.truncate_log()
        # A visit that came meanwhile relied on what is gone now: it may have been its visitor's second of the day.
        if erasure.visitor is not None:
            await self._count_again(erasure.visitor)
        if erasure.pages:
            await self._restore(erasure.pages)
        return erased

    async def _delete_links(self, site_id: int, visit_ids: Sequence[int]) -> int:
        await self._delete_deliveries(site_id, visit_ids)
        async with self._store.batch() as batch:
            removal = LinkRemoval(batch, self._recorder, self._clock())
            batch.when_committed(self._on_erased)
            deleted = await removal.run(site_id, visit_ids)
        if deleted:
            self._store.truncate_log()
        if removal.pages:
            await self._restore(removal.pages)
        return len(deleted)

    async def _delete_deliveries(self, site_id: int, visit_ids: Sequence[int]) -> None:
        """Deletes all but a few of the events for webhooks that name visits which are about to go. Strangers may have
        caused hundreds of thousands, and the transaction that erases deletes what is left."""
        while True:
            begun = time.perf_counter()
            async with self._store.batch() as batch:
                deleted = await batch.erasures.delete_some_deliveries(site_id, visit_ids, _DELIVERIES_AT_ONCE)
            if deleted < _DELIVERIES_AT_ONCE:
                return
            await asyncio.sleep(time.perf_counter() - begun)  # so that others have half of the store

    async def _revoke_receipts(self, site_id: int, visit_id: int) -> None:
        """Revokes all but a few of the receipts that name a visit which is about to go, as the transaction that erases
        revokes what is left: below a visit that many shared there may be thousands."""
        visits = [(site_id, visit_id, ids.cell_of(visit_id))]
        while True:
            begun = time.perf_counter()
            async with self._store.batch() as batch:
                at, most = self._clock(), _RECEIPTS_AT_ONCE
                revoked = await batch.receipts.revoke_naming(visits, at, "erasure", limit=most)
            if revoked < _RECEIPTS_AT_ONCE:
                return
            await asyncio.sleep(time.perf_counter() - begun)

    async def _erase_kept(self, site_id: int, visit_id: int) -> Erased:
        """Erases what outlived a visit that is past retention: where its links lead, and the receipts of later
        conversions that have a pseudonym of it."""
        visits = [(site_id, visit_id, ids.cell_of(visit_id))]
        async with self._store.batch() as batch:
            kept = await batch.erasures.delete_kept_shares(site_id, visit_id)
            if not await batch.receipts.revoke_naming(visits, self._clock(), "erasure") and not kept:
                return Erased.UNKNOWN
            batch.when_committed(self._on_erased)
            await batch.erasures.announce()
        self._store.truncate_log()
        return Erased.NOW

    async def _count_again(self, visitor: VisitorDay) -> None:
        """Counts a visitor whose only visit was erased, if another one came while that was done."""
        visits = await self._store.erasures.first_visits(*visitor)
        if not visits:
            return
        async with self._store.batch() as batch:
            key, expires_at = visitor.visitor << 16 | visitor.day, ids.day_start(visitor.day + 2)
            if await batch.guard([(visitor.site_id, GUARD_VISITOR, key, visitor.cell, expires_at)]):
                deltas = CountDeltas(self._recorder.slot)
                deltas.add_visitor(visits[0], 1)
                await deltas.write(batch, [], {})

    async def _restore(self, pages: list[PageRow]) -> None:
        """Stores the pages again that another visit named while they were deleted."""
        today = ids.day_at(self._clock())
        async with self._store.batch() as batch:
            used = [
                page
                for page in pages
                if await batch.erasures.is_page_used(page.site_id, page.page_id, range(page.day, today + 1))
            ]
            await batch.restore_pages(used)
