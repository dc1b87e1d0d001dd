"""Deletes a site with all its rows while servers run, a few rows a transaction.

It begins with one transaction in which the site goes out of use; from then on it can only go on, also in another
process after this one was killed. Running servers follow within a second: they refuse the site's calls, and events that
waited to be stored. What they stored until then is deleted with the rest, so the site's own row goes last, when nothing
was found any more some seconds after the beginning.
"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Final

from grapevine.domain.ids import DAY_MS
from grapevine.domain.periods import Clock
from grapevine.store.base import Store
from grapevine.store.repositories.site_deletion import EMPTIED

FOLLOWED_SECONDS: Final = 3.0
"""By then every running server knows that a site is gone (``SiteCache``), and has stored what it was storing."""

SWEPT_DAYS: Final = 1
"""For so long servers delete what one that stood still all the time may have stored afterwards."""


class SiteDeletion:
    """Deletes one site after another. ``pause`` waits so many seconds, ``on_deleted`` gets the number of rows of each
    transaction."""

    def __init__(
        self,
        store: Store,
        clock: Clock,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
        on_deleted: Callable[[int], None] = lambda _: None,
    ) -> None:
        self._store = store
        self._clock = clock
        self._pause = pause
        self._on_deleted = on_deleted

    async def run(self, site_id: int) -> dict[str, int]:
        """Deletes a site, or the rest of one. Returns the rows deleted now, by table. Raises StoreError.

        It rests after each transaction for as long as that took, so that a running server has half of the store.
        """
        deletion, deleted = self._store.site_deletion, Counter[str]()
        await deletion.begin(site_id, self._clock())
        servers = bool(await self._store.fingerprints.processes(self._clock()))
        followed_at = time.monotonic() + (FOLLOWED_SECONDS if servers else 0)
        while True:
            is_followed = time.monotonic() >= followed_at
            found = await self._pass(site_id)
            deleted += found
            if is_followed and not found:
                break
            if not found:
                await self._pause(max(0.0, followed_at - time.monotonic()))
        await deletion.finish(site_id)
        self._store.truncate_log()
        return dict(deleted)

    async def _pass(self, site_id: int) -> Counter[str]:
        deleted = Counter[str]()
        for table in EMPTIED:
            begun = time.perf_counter()
            while rows := await self._store.site_deletion.delete_some(table, site_id):
                deleted[table] += rows
                self._on_deleted(rows)
                await self._pause(time.perf_counter() - begun)
                begun = time.perf_counter()
        return deleted


async def sweep_deleted_sites(store: Store, now: int) -> None:
    """Deletes what a server stored of a site after its deletion had ended, because it stood still meanwhile."""
    for site_id in await store.site_deletion.finished(now - SWEPT_DAYS * DAY_MS):
        for table in EMPTIED:
            while await store.site_deletion.delete_some(table, site_id):
                pass
