"""The live feed: which sites are watched, and the announcements of what was stored of them (``live.sql``)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from grapevine.domain import ids
from grapevine.store.query_runner import Runner
from grapevine.store.repositories.repository import Repository
from grapevine.store.rows import ConversionRow, ShareKey, ShareRow, VisitRow

KEPT_MS: Final = 420_000
"""Announcements are deleted when they are so old."""

VISIT: Final = 0
SHARE: Final = 1
CONVERSION: Final = 2

_Events = list[list[int]]
_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(_Events)


class LiveEvent(NamedTuple):
    """The key of a row that was stored: a kind and the columns that name it (VISIT: visit; SHARE: visit, channel, n;
    CONVERSION: visit, event key)."""

    kind: int
    visit_id: int
    more: tuple[int, ...] = ()


class LiveBatch(NamedTuple):
    """One announcement: what a batch stored of a site. Those of a lane are committed in the order of their numbers."""

    lane: int
    number: int
    events: tuple[LiveEvent, ...]


class LiveBatches:
    """Announces what a transaction of the writer stores."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def announce(self, batches: Sequence[tuple[int, LiveBatch]]) -> None:
        """Adds announcements, each with its site."""
        await self._run(
            "insert_live_batches", [(site, each.lane, each.number, _written(each)) for site, each in batches]
        )


class LiveRepository(Repository):
    """Watched sites, lanes and announcements."""

    async def versions(self) -> dict[str, int]:
        """Returns numbers by name: ``erasures`` rises with every erasure, ``live`` when a site is watched anew, and
        ``webhooks`` when an endpoint changes."""
        return {name: int(version) for name, version in await self._read("read_versions")}

    async def watch(self, site_id: int, now: int, expires_at: int) -> int:
        """Watches a site until ``expires_at``. Returns since when it is watched without a break."""
        async with self._transaction() as change:
            ((started_at,),) = await change.run("watch_site", site_id=site_id, now=now, expires_at=expires_at)
            if started_at == now:
                await change.run("touch_watches")
        return int(started_at)

    async def watches(self, now: int) -> dict[int, int]:
        """Returns until when each site is watched."""
        return dict(await self._read("live_watches", now=now))

    async def put_lanes(self, lanes: Sequence[int], process: str, version: int, expires_at: int) -> None:
        """Says that the process of ``lanes`` knows the watches of ``version``."""
        async with self._transaction() as change:
            await change.run("put_live_lanes", [(lane, process, version, expires_at) for lane in lanes])

    async def processes_behind(self, version: int, now: int) -> list[str]:
        """Returns the processes that may store something and do not know the watches of ``version`` yet."""
        return [holder for (holder,) in await self._read("processes_behind", version=version, now=now)]

    async def ends(self, site_id: int) -> dict[int, int]:
        """Returns the number of the last announcement of a site in each lane; 0 where there is none."""
        found = await self._read("live_lane_ends", site_id=site_id)
        return {lane: number or 0 for lane, number in found}

    async def batches_after(self, site_id: int, lane: int, after: int, limit: int) -> list[LiveBatch]:
        """Returns the first ``limit`` announcements of a site in a lane behind the number ``after``."""
        found = await self._read("live_batches_after", site_id=site_id, lane=lane, after=after, limit=limit)
        return [LiveBatch(lane, number, _read(events)) for lane, number, events in found]

    async def visits(self, site_id: int, visits: Sequence[int]) -> dict[int, VisitRow]:
        """Returns those of ``visits`` that are stored."""
        found = await self._read("named_visits", [(site_id, visit, ids.cell_of(visit)) for visit in visits])
        return {row[1]: VisitRow(*row) for row in found}

    async def shares(self, keys: Sequence[ShareKey]) -> dict[ShareKey, ShareRow]:
        """Returns those of the shares ``keys`` that are stored."""
        found = await self._read("named_shares", [key.plain() for key in keys])
        return {ShareKey(*row[:5]): ShareRow(*row) for row in found}

    async def conversions(self, site_id: int, keys: Sequence[tuple[int, int]]) -> dict[tuple[int, int], ConversionRow]:
        """Returns those of the conversions ``keys`` (visit, event key) that are stored."""
        rows = [(site_id, visit, ids.cell_of(visit), key) for visit, key in keys]
        return {(row[1], row[4]): ConversionRow(*row) for row in await self._read("live_conversions", rows)}

    async def forget_lanes(self, lanes: Sequence[int], sites: Mapping[int, int]) -> None:
        """Deletes the announcements in ``lanes`` of each site before a number."""
        async with self._transaction() as change:
            for site_id, before in sorted(sites.items()):
                for lane in lanes:
                    await change.run("delete_live_batches", site_id=site_id, lane=lane, before=before)

    async def forget(self, before: int) -> None:
        """Deletes everything that ended before a time (UTC ms)."""
        async with self._transaction() as change:
            await change.run("delete_old_live_batches", before=before)
            await change.run("delete_old_live_lanes", before=before)
            await change.run("delete_old_live_watches", before=before)


def _written(batch: LiveBatch) -> str:
    return _ENCODER.encode([[kind, visit, *more] for kind, visit, more in batch.events]).decode()


def _read(text: str) -> tuple[LiveEvent, ...]:
    return tuple(LiveEvent(kind, visit, tuple(more)) for kind, visit, *more in _DECODER.decode(text))
