"""A sample of a period's visits, the shares they made, and when people came through these."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from grapevine.domain import ids
from grapevine.store.query_runner import Runner
from grapevine.store.readers.scope import Scope
from grapevine.store.rows import Key

IdRange = tuple[int, int]
"""Ids of visits from the first to before the second."""


class SampledVisits(NamedTuple):
    """Visits of one page, or of all: without self-returns, all of them, their views and these squared and added up."""

    others: int
    visits: int
    views: int
    squared_views: int


class SampledShare(NamedTuple):
    """One share and its visit; times in milliseconds, ``reported_at`` None where no page reported it."""

    visit_id: int
    channel: int
    n: int
    page_id: int
    visit_at: int
    views: int
    is_aside: int
    hangs_on: int
    first_at: int
    reported_at: int | None

    @property
    def key(self) -> tuple[int, int, int]:
        """Visit, channel and n."""
        return self.visit_id, self.channel, self.n


class RateReader:
    """Reads the input of rates (``rates.sql``)."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run

    async def visits(self, scope: Scope, ranges: Sequence[IdRange], by: str) -> dict[Key, SampledVisits]:
        """The visits of ``ranges`` in the scope, whatever channel they came through; by page where ``by`` says so, else
        under None."""
        asked = {**replace(scope, channel=None).params(), "by": by}
        found: dict[Key, SampledVisits] = {}
        for from_id, to_id in ranges:
            for key, *numbers in await self._run("sampled_visits", **asked | {"from_id": from_id, "to_id": to_id}):
                before = found.get(key, SampledVisits(0, 0, 0, 0))
                found[key] = SampledVisits(*(one + other for one, other in zip(before, numbers, strict=True)))
        return found

    async def shares(self, scope: Scope, ranges: Sequence[IdRange], limit: int) -> list[SampledShare]:
        """The first ``limit`` shares, by their visit, that visits of ``ranges`` in the scope made in its period."""
        asked = {**scope.params(), "limit": limit}
        found: list[SampledShare] = []
        for from_id, to_id in ranges:
            rows = await self._run("sampled_shares", **asked | {"from_id": from_id, "to_id": to_id})
            found += (SampledShare(*row) for row in rows)
            if len(found) >= limit:
                break
        return found[:limit]

    async def returns(
        self, scope: Scope, shares: Iterable[SampledShare], limit: int
    ) -> list[tuple[tuple[int, int, int], int]]:
        """The first ``limit`` returns to ``shares`` before the scope's end as (share, time in ms)."""
        keys = [(*_with_cell(share), share.hangs_on) for share in shares]
        rows = await self._run("sampled_returns", keys, site_id=scope.site_id, end=scope.end, limit=limit)
        # SQLite takes many shares in several statements, each with the limit.
        first = sorted(rows, key=lambda row: row[3:])[:limit]
        return [((visit, channel, n), at) for visit, channel, n, at, _ in first]


def _with_cell(share: SampledShare) -> tuple[int, int, int, int]:
    return share.visit_id, ids.cell_of(share.visit_id), share.channel, share.n
