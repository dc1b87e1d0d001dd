"""Adds up what a batch changes: one row per count, page and cascade instead of one per event."""

from __future__ import annotations

from collections import Counter
from typing import Any, Final

from grapevine import ids
from grapevine.sets import NO_CHANNEL
from grapevine.store.batch import MEASURES, Batch, CascadeGrowth
from grapevine.store.rows import VisitRow

_POSITION: Final = {measure: position for position, measure in enumerate(MEASURES)}

Key = tuple[Any, ...]


class Tally:
    """Counts of one batch by (site, hour, source, channel, depth), (site, day, page) and (site, day, device, app)."""

    def __init__(self, slot: int) -> None:
        self._slot = slot
        self._tables: dict[str, dict[Key, list[int]]] = {"counts_hour": {}, "counts_page": {}, "counts_device": {}}
        self._cascades: dict[tuple[int, int], CascadeGrowth] = {}

    def visit(self, row: VisitRow, at: int, **measures: int) -> None:
        """Counts for a visit, under the share channel it arrived through."""
        self._add(row, at, NO_CHANNEL if row.channel is None else row.channel, measures)

    def share(self, row: VisitRow, channel: int, at: int, **measures: int) -> None:
        """Counts for a share made in the visit ``row``, under the share's own channel, in the hour of ``at``."""
        self._add(row, at, channel, measures)

    def unlinked(self, site_id: int, at: int, source: int, page_id: int, device: int) -> None:
        """Counts a visit that has no row."""
        hour, day = at // ids.HOUR_MS, ids.day_at(at)
        self._raise("counts_hour", (site_id, hour, source, NO_CHANNEL, 0), {"unlinked": 1, "views": 1})
        self._raise("counts_page", (site_id, day, page_id), {"unlinked": 1, "views": 1})
        self._raise("counts_device", (site_id, day, device, ""), {"unlinked": 1, "views": 1})

    def unfurl(self, site_id: int, app: str, at: int) -> None:
        """Counts a link preview under the app whose robot fetched it."""
        self._raise("counts_device", (site_id, ids.day_at(at), 0, app), {"unfurls": 1})

    def cascade(self, row: VisitRow) -> CascadeGrowth:
        """What the batch adds to the cascade of ``row``, to be raised by the caller."""
        key = (row.site_id, row.root)
        return self._cascades.setdefault(key, CascadeGrowth(row.site_id, row.root, row.cell))

    async def write(self, batch: Batch) -> None:
        """Raises all counts and cascade summaries."""
        for table, counts in self._tables.items():
            # Sorted, so that two writers never wait for each other's rows in a circle.
            await batch.raise_counts(table, [(*key, self._slot, *counts[key]) for key in sorted(counts)])
        await batch.grow_cascades([self._cascades[key] for key in sorted(self._cascades)])

    def _add(self, row: VisitRow, at: int, channel: int, measures: dict[str, int]) -> None:
        hour, day = at // ids.HOUR_MS, ids.day_at(at)
        self._raise("counts_hour", (row.site_id, hour, row.source, channel, row.depth), measures)
        self._raise("counts_page", (row.site_id, day, row.page_id), measures)
        self._raise("counts_device", (row.site_id, day, row.device, row.app or ""), measures)

    def _raise(self, table: str, key: Key, measures: dict[str, int]) -> None:
        counts = self._tables[table].setdefault(key, [0] * len(MEASURES))
        for measure, amount in measures.items():
            counts[_POSITION[measure]] += amount


class Drops:
    """Refused events, counted in memory until the next batch carries them to the store."""

    def __init__(self) -> None:
        self._counts: Counter[tuple[int, int, str]] = Counter()

    def add(self, site_id: int, reason: str, at: int, amount: int = 1) -> None:
        """Counts a drop; ``site_id`` 0 where the request named no site of this server."""
        self._counts[site_id, at // ids.HOUR_MS, reason] += amount

    def take(self) -> Counter[tuple[int, int, str]]:
        """What was counted since the last call; hand it to ``give_back`` when it could not be stored."""
        taken, self._counts = self._counts, Counter()
        return taken

    def give_back(self, taken: Counter[tuple[int, int, str]]) -> None:
        """Counts again what could not be stored."""
        self._counts.update(taken)

    def __bool__(self) -> bool:
        return bool(self._counts)
