"""Returns from one network in great number, and when they are to be judged: one method a named query of
``sql/floods.sql``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from grapevine.domain import ids
from grapevine.store.query_runner import Runner
from grapevine.store.repositories.verdicts import day_params
from grapevine.store.rows import VisitRow


class SharerDay(NamedTuple):
    """A visit whose shares are opened, and a day on which they are."""

    site_id: int
    parent_id: int
    day: int

    @property
    def cell(self) -> int:
        """The cell of its returns."""
        return ids.cell_of(self.parent_id)


class NetworkOpenings(NamedTuple):
    """The openings from one network (a wide one with ``shift`` bits): ``counted`` of one page view that still count,
    ``silent`` of one page view, taken out or not, and ``active`` of more."""

    network: int
    shift: int
    counted: int
    silent: int
    active: int


class FloodReader:
    """Reads the visits whose returns are to be judged, and these returns up to a time (UTC milliseconds)."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def due(self, now: int, limit: int) -> list[SharerDay]:
        """Returns up to ``limit`` that are due at ``now``."""
        return [SharerDay(*row) for row in await self._run("suspected_floods_due", now=now, limit=limit)]

    async def last_opening(self, sharer: SharerDay) -> int | None:
        """Returns the time of the day's last return."""
        ((at,),) = await self._run("last_opening", **_openings(sharer, ids.day_start(sharer.day + 1)))
        return None if at is None else int(at)

    async def busy_networks(self, sharer: SharerDay, end: int, shift: int, least: int) -> list[NetworkOpenings]:
        """Returns the networks with more than ``least`` openings before ``end``."""
        rows = await self._run("busy_networks", **_openings(sharer, end), shift=shift, least=least)
        return [NetworkOpenings(network, shift, *map(int, numbers)) for network, *numbers in rows]

    async def hidden_activity(self, sharer: SharerDay, end: int, found: NetworkOpenings) -> int:
        """Returns how many of the ``silent`` openings show activity other than page views."""
        ((number,),) = await self._run("hidden_activity", **_openings(sharer, end), **_range(found))
        return int(number)

    async def silent_openings(self, sharer: SharerDay, end: int, found: NetworkOpenings, limit: int) -> list[VisitRow]:
        """Returns openings without activity and verdict, the last ones first."""
        rows = await self._run("silent_openings", **_openings(sharer, end), **_range(found), limit=limit)
        return [VisitRow(*row) for row in rows]

    async def counted_visits(self, site_id: int, day: int, visitors: Iterable[int]) -> dict[int, int]:
        """Returns how many visits of the day count, by visitor, for those of ``visitors`` that have any.

        All visits of the day are looked through for them.
        """
        keys = [(visitor,) for visitor in sorted(visitors)]
        return dict(await self._run("counted_visits_of_visitors", keys, **day_params(site_id, day)))


class SuspectedFloods:
    """The changes of suspected floods in one transaction."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def suspect(self, rows: Sequence[tuple[SharerDay, int]]) -> None:
        """Notes visits whose returns are to be judged, and when; an earlier note stays as it is."""
        await self._run(
            "insert_suspected_floods",
            [(each.site_id, each.parent_id, each.cell, each.day, due_at) for each, due_at in rows],
        )

    async def judged(self, sharer: SharerDay, now: int) -> None:
        """Deletes the note of what was judged at ``now``."""
        await self._run("delete_suspected_flood", **sharer._asdict(), cell=sharer.cell, due_at=now)


def _openings(sharer: SharerDay, end: int) -> dict[str, Any]:
    return {
        "site_id": sharer.site_id,
        "parent_id": sharer.parent_id,
        "cell": sharer.cell,
        "start": ids.day_start(sharer.day),
        "end": min(end, ids.day_start(sharer.day + 1)),
    }


def _range(found: NetworkOpenings) -> dict[str, Any]:
    first = found.network << found.shift
    return {"first_network": first, "last_network": first | (1 << found.shift) - 1}
