"""Spikes: the counts to detect them, and the spikes that were raised."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from grapevine.domain import ids
from grapevine.store.repositories.repository import Repository
from grapevine.store.repositories.webhooks import Draw, Event, post

_EVERY_PAGE: Final = 100_000


class SpikePage(NamedTuple):
    """A page's address, and the day (number) on which it was first seen."""

    url: str
    first_day: int


class SpikeRow(NamedTuple):
    """A spike as it is stored; times in UTC milliseconds. ``returns`` and ``expected`` are of the hour before it was
    raised, ``peak`` of the hour with the most returns since."""

    page_id: int
    started_at: int
    last_at: int
    returns: int
    expected: float
    peak: int


class SpikeRepository(Repository):
    """The queries of ``spikes.sql``."""

    async def busy(self, site_id: int, days: range, least: int, limit: int = _EVERY_PAGE) -> list[int]:
        """The pages with at least so many returns in ``days`` (numbers) together, those with the most first."""
        rows = await self._read(
            "pages_with_returns", site_id=site_id, from_day=days.start, to_day=days.stop, least=least, limit=limit
        )
        return [page for page, _ in rows]

    async def returns(self, site_id: int, pages: Iterable[int], end: int, hours: int) -> dict[int, list[int]]:
        """The returns of each of ``pages`` in the last ``hours`` before ``end``, the last hour first."""
        wanted = [(page,) for page in dict.fromkeys(pages)]
        start = end - hours * ids.HOUR_MS
        found = {page: [0] * hours for (page,) in wanted}
        rows = await self._read(
            "returns_of_pages",
            wanted,
            site_id=site_id,
            start=start,
            end=end,
            from_unix_day=start // ids.DAY_MS,
            to_unix_day=(end - 1) // ids.DAY_MS + 1,
        )
        for page, hour, returns in rows:
            found[page][hour] = returns
        return found

    async def pages(self, site_id: int, pages: Iterable[int]) -> dict[int, SpikePage]:
        """Those of ``pages`` that are stored."""
        rows = await self._read(
            "pages_first_seen", [(page, ids.hashed_cell(page)) for page in dict.fromkeys(pages)], site_id=site_id
        )
        return {page: SpikePage(url, day) for page, url, day in rows}

    async def episodes(self, site_id: int, since: int) -> dict[int, list[tuple[int, int]]]:
        """(raised at, last seen at) of the spikes that were still seen after ``since``, by page, the newest first."""
        found: dict[int, list[tuple[int, int]]] = {}
        for page, started_at, last_at in await self._read("spikes_of_pages", site_id=site_id, since=since):
            found.setdefault(page, []).append((started_at, last_at))
        return found

    async def raised(
        self,
        site_id: int,
        start: int,
        end: int,
        limit: int,
        page_id: int | None = None,
        before: int = 1 << 62,
        after_page: int = 0,
    ) -> list[SpikeRow]:
        """The spikes that were raised from ``start`` to before ``end``, the newest first, of one page if given.

        They begin behind ``after_page``, of those that were raised at ``before``; older ones follow.
        """
        rows = await self._read(
            "spikes_raised",
            site_id=site_id,
            start=start,
            end=end,
            limit=limit,
            page_id=page_id,
            before=before,
            after_page=after_page,
        )
        return [SpikeRow(*row) for row in rows]

    async def raise_spike(self, site_id: int, spike: SpikeRow, event: Event, draw: Draw) -> bool:
        """Stores a new spike and puts its event on the way to the endpoints that want it, both or neither.

        False when it was raised before.
        """
        async with self._transaction() as change:
            if not await change.run(
                "insert_spike",
                site_id=site_id,
                page_id=spike.page_id,
                at=spike.started_at,
                returns=spike.returns,
                expected=spike.expected,
            ):
                return False
            await post(change, event, draw)
            return True

    async def prolong(self, site_id: int, page_id: int, started_at: int, at: int, returns: int) -> None:
        """Notes that a spike is still there."""
        async with self._transaction() as change:
            await change.run(
                "prolong_spike", site_id=site_id, page_id=page_id, started_at=started_at, at=at, returns=returns
            )
