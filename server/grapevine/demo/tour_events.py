"""The events of a tour, read from the store as they come in."""

from __future__ import annotations

from urllib.parse import urlsplit

from grapevine.demo.tour import Event, Refused, Shared, Visited
from grapevine.domain import ids
from grapevine.domain.channels import NAMES
from grapevine.domain.enums import SOURCE_NAMES
from grapevine.store.base import Store
from grapevine.store.readers.exports import SHARES, VISITS, ExportRange
from grapevine.store.readers.scope import Scope
from grapevine.store.rows import ExportVisit, ShareRow


class TourEvents:
    """What happens on one site from ``start`` (UTC ms) on. Visits of before, such as those of a history that is being
    filled in meanwhile, are none of its events."""

    def __init__(self, store: Store, site_id: int, start: int) -> None:
        self._store = store
        today = ids.day_at(start)
        # Ids begin with the day that the browser's clock shows, which may be the one before.
        self._range = ExportRange(site_id, start, from_id=ids.pack(max(today - 1, 0), 0, 0))
        self._hours = Scope(site_id, start - start % ids.HOUR_MS, ids.day_start(today + 2))
        self._visits: dict[int, ExportVisit] = {}
        self._shares: set[tuple[int, ...]] = set()
        self._refused: dict[str, int] | None = None

    async def new(self) -> list[Event]:
        """Returns the events since the last call, oldest first; the first call takes what was refused as its start."""
        visits = await self._new_visits()
        shares = await self._new_shares()
        pages = [row.page_id for row in visits] + [row.page_id for row in shares if row.page_id is not None]
        urls = await self._store.reads.pages.urls(self._range.site_id, pages)
        events = [(row.at, self._visited(row, _path(urls.get(row.page_id)))) for row in visits]
        events += [
            (row.reported_at or 0, self._shared(row, _path(row.url or urls.get(row.page_id or 0)))) for row in shares
        ]
        return [event for _, event in sorted(events, key=lambda each: each[0])] + await self._new_refusals()

    async def _new_visits(self) -> list[ExportVisit]:
        found: list[ExportVisit] = []
        async for rows in self._store.exports.read_batches(VISITS, self._range):
            found += [row for row in rows if row.visit_id not in self._visits]
        self._visits |= {row.visit_id: row for row in found}
        return found

    async def _new_shares(self) -> list[ShareRow]:
        """Returns shares that a visit of the tour reported; those of a share that only a return proved do not count."""
        found: list[ShareRow] = []
        async for rows in self._store.exports.read_batches(SHARES, self._range):
            found += [row for row in rows if row.reported_at and self._is_persons(row.visit_id)]
        found = [row for row in found if _key(row) not in self._shares]
        self._shares |= {_key(row) for row in found}
        return found

    async def _new_refusals(self) -> list[Event]:
        refused, _ = await self._store.reads.summary.refused_and_bounded(self._hours)
        before, self._refused = self._refused, refused
        if before is None:
            return []
        return [Refused(reason) for reason, number in refused.items() if number > before.get(reason, 0)]

    def _is_persons(self, visit_id: int) -> bool:
        visit = self._visits.get(visit_id)
        return visit is not None and visit.verdict is None

    def _visited(self, row: ExportVisit, path: str) -> Event:
        return Visited(
            visit=ids.visit_text(row.visit_id),
            root=ids.visit_text(row.visit_id if row.root_id is None else row.root_id),
            path=path,
            depth=row.depth,
            channel=None if row.channel is None else NAMES[row.channel],
            source=SOURCE_NAMES[row.source],
            is_self=row.is_self,
            verdict=row.verdict_name,
            spoilt=row.reason is not None,
        )

    def _shared(self, row: ShareRow, path: str) -> Event:
        return Shared(path, self._visits[row.visit_id].depth, NAMES[row.channel])


def _key(row: ShareRow) -> tuple[int, ...]:
    return row.visit_id, row.channel, row.n


def _path(url: str | None) -> str:
    return (urlsplit(url).path if url else "") or "/"
