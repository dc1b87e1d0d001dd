"""The changes of a verdict, and the rows it is found from: one method a named query of ``sql/verdicts.sql``."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, NamedTuple

from grapevine.domain import ids
from grapevine.store.query_runner import Runner
from grapevine.store.rows import ShareKey, VisitRow

Rows = Sequence[Sequence[Any]]


class CascadeKey(NamedTuple):
    """The key of a cascade: site, id of the root visit, and cell."""

    site_id: int
    root_id: int
    cell: int


class CascadeReturns(NamedTuple):
    """The returns to a cascade: their number, the largest depth, and the time of the last (UTC milliseconds)."""

    number: int
    max_depth: int
    last_at: int


class ShareTimes(NamedTuple):
    """When the visit of a share began, when the share was reported (UTC milliseconds), and by whom (a code of
    SHARE_REPORTERS)."""

    began_at: int
    reported_at: int | None
    reported_by: int | None


class SuspectReader:
    """Reads the visitor-days that are to be judged, and their visits."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def due(self, now: int, limit: int) -> list[tuple[int, int, int]]:
        """Returns up to ``limit`` (site, day, visitor) that are due at ``now`` (UTC milliseconds)."""
        return [(site, day, visitor) for site, day, visitor in await self._run("suspects_due", now=now, limit=limit)]

    async def count_active(self, site_id: int, day: int, visitor: int) -> tuple[int, int | None]:
        """Returns the number of a machine's visits of a day with activity, and the verdict on earlier ones."""
        ((active, verdict),) = await self._run("count_active_visits", visitor=visitor, **day_params(site_id, day))
        return int(active), verdict

    async def visits(self, site_id: int, day: int, visitor: int, limit: int) -> list[VisitRow]:
        """Returns the machine's visits of the day that have no verdict."""
        rows = await self._run("unjudged_visits", limit=limit, visitor=visitor, **day_params(site_id, day))
        return [VisitRow(*row) for row in rows]

    async def share_times(self, shares: Iterable[ShareKey]) -> dict[ShareKey, ShareTimes]:
        """Returns when ``shares`` were made, as far as that is known."""
        rows = await self._run("shares_made", sorted(key.plain() for key in shares))
        return {ShareKey(*row[:5]): ShareTimes(*row[5:]) for row in rows}


class Verdicts:
    """The changes of a verdict in one transaction."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def suspect(self, rows: Rows) -> None:
        """Notes machines (site, day, visitor, cell, due_at) that are to be judged."""
        await self._run("insert_suspects", rows)

    async def judged(self, site_id: int, day: int, visitor: int) -> None:
        """Deletes a judged machine from the suspects."""
        await self._run("delete_suspect", site_id=site_id, day=day, visitor=visitor, cell=ids.hashed_cell(visitor))

    async def with_activity(self, visits: Iterable[VisitRow]) -> set[int]:
        """Returns the ids of those of ``visits`` in which more happened than that a page was opened."""
        rows = await self._run("visits_with_activity", [(row.site_id, row.visit_id, row.cell) for row in visits])
        return {visit_id for (visit_id,) in rows}

    async def set(self, visits: Iterable[VisitRow], verdict: int, flag: int = 0) -> None:
        """Stores the verdict on ``visits``; ``flag`` is ``OPENED_ONCE`` where a sign of life may take it back."""
        await self._run("set_verdicts", [(row.site_id, row.visit_id, row.cell, verdict, flag) for row in visits])

    async def take_back(self, visits: Iterable[VisitRow]) -> None:
        """Takes the verdicts on ``visits`` back, which rest on a single opening; the caller counts them again."""
        await self._run("take_back_verdicts", [(row.site_id, row.visit_id, row.cell) for row in visits])

    async def forget_guard(self, site_id: int, kind: int, key: int, cell: int) -> bool:
        """Deletes a guard, so that its event may happen again. Returns False when there was none."""
        return bool(await self._run("forget_guard", site_id=site_id, kind=kind, guard_key=key, cell=cell))

    async def returns_of_shares(self, shares: Iterable[tuple[ShareKey, int]]) -> dict[ShareKey, tuple[int, int]]:
        """Returns how often each (share, parent of its returns) was opened by others, and when first."""
        rows = await self._run("returns_of_shares", [(*key.plain(), hangs_on) for key, hangs_on in shares])
        return {ShareKey(*row[:5]): (row[5], row[6]) for row in rows}

    async def set_shares(self, shares: Iterable[tuple[ShareKey, int | None, int | None, int, int]]) -> None:
        """Stores the new (first_at, proven_at, returns, self_returns) of shares."""
        await self._run("set_shares", [(*key.plain(), *facts) for key, *facts in shares])

    async def returns_of_cascades(self, cascades: Iterable[CascadeKey]) -> dict[CascadeKey, CascadeReturns]:
        """Returns the returns to ``cascades``, without those that have none."""
        rows = await self._run("returns_of_cascades", list(cascades))
        return {CascadeKey(*row[:3]): CascadeReturns(*row[3:]) for row in rows}

    async def shrink(self, cascade: CascadeKey, visits: int, shares: int, left: CascadeReturns | None) -> None:
        """Takes visits and shares off a cascade's summary; deletes it when no return is ``left``."""
        if left is None:
            await self._run("delete_cascade", **cascade._asdict())
        else:
            await self._run("shrink_cascades", [(*cascade, visits, shares, left.max_depth, left.last_at)])


def day_params(site_id: int, day: int) -> dict[str, Any]:
    """Returns the parameters of queries for the visits of a day; an id's day is the browser's, at most one off."""
    return {
        "site_id": site_id,
        "start": ids.day_start(day),
        "end": ids.day_start(day + 1),
        "from_id": ids.pack(max(day - 1, 0), 0, 0),
        "to_id": ids.pack(day + 2, 0, 0),
    }
