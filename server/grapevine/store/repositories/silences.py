"""Silences of sites: the counts to notice them, and those that were told."""

from __future__ import annotations

from typing import Final

from grapevine.domain import ids
from grapevine.domain.enums import DAY_KEYS
from grapevine.store.repositories.repository import Repository
from grapevine.store.repositories.webhooks import Draw, Event, post

_HOURS: Final = 24


class SilenceRepository(Repository):
    """The queries of ``silences.sql``."""

    async def visits_by_hour(self, site_id: int, end: int, hours: int) -> list[int]:
        """Returns a site's visits in each of the ``hours`` before the hour ``end`` (since 1970), the last one last."""
        start = end - hours
        found = [0] * hours
        rows = await self._read(
            "visits_by_hour",
            site_id=site_id,
            dimension=DAY_KEYS["hour"],
            from_day=ids.day_at(start * ids.HOUR_MS),
            to_day=ids.day_at(end * ids.HOUR_MS) + 1,
        )
        for day, hour, visits in rows:
            index = ids.day_start(day) // ids.HOUR_MS + hour - start
            if 0 <= index < hours:
                found[index] = visits
        return found

    async def lasting(self) -> dict[int, int]:
        """Returns when the silence of each site began that has not ended, in UTC milliseconds."""
        rows = await self._read("lasting_silences")
        return {int(site_id): int(started_at) for site_id, started_at in rows}

    async def told(self, site_id: int, since: int) -> list[tuple[int, int]]:
        """Returns from when to when a site was silent that had visits again after ``since``, in UTC milliseconds."""
        rows = await self._read("ended_silences", site_id=site_id, since=since)
        return [(started_at, ended_at) for started_at, ended_at in rows]

    async def begin(self, site_id: int, started_at: int, event: Event, draw: Draw) -> bool:
        """Stores a silence and puts its event on the way to the endpoints that want it, both or neither.

        False when it was told before.
        """
        async with self._transaction() as change:
            if not await change.run("insert_silence", site_id=site_id, started_at=started_at):
                return False
            await post(change, event, draw)
            return True

    async def end(self, site_id: int, started_at: int, ended_at: int) -> None:
        """Stores that a silence has ended."""
        async with self._transaction() as change:
            await change.run("end_silence", site_id=site_id, started_at=started_at, ended_at=ended_at)
