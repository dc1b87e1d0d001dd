"""Cascades and their visits: summaries in several orders, trees, chains, shapes."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple
from weakref import WeakValueDictionary

import msgspec

from grapevine.domain import ids, money
from grapevine.store.query_runner import Runner
from grapevine.store.readers.scope import visit_keys, visit_params
from grapevine.store.readers.summary import Converted, counted
from grapevine.store.rows import CascadeVisit

MOST_OF_CHAIN: Final = 200
"""Visits of a chain that are read: its root and the last 199. Nobody reads a longer one, and a visitor can make a chain
of any length by opening their own links."""


class StoredChain(NamedTuple):
    """The visits of a chain, its first one first. ``omitted`` visits below the first of them are left out."""

    visits: list[CascadeVisit]
    omitted: int = 0


class ShapeVisits(NamedTuple):
    """The visits below a root as (visit, parent, depth), the ids of those that were erased, with the root's, and the
    networks of all below it."""

    visits: list[tuple[int, int | None, int]]
    erased: set[int]
    networks: set[int]


class CascadeFacts(msgspec.Struct, frozen=True):
    """A cascade's stored summary; ``breadth``, ``virality`` and ``networks`` are those of ``shape_size`` visits.
    ``is_of_link`` says whether it grew from a minted link; a summary that was read alone does not say it."""

    root_id: int
    cell: int
    page_id: int
    started_at: int
    last_at: int
    size: int
    max_depth: int
    shares: int
    conversions: int
    breadth: int | None
    virality: float | None
    shape_size: int
    shape_at: int
    networks: int | None
    is_of_link: bool = False


class CascadeReader:
    """Reads cascades, their visits and their shapes (``cascades.sql``)."""

    def __init__(self, runner: Runner) -> None:
        self._run = runner.run
        self._shape_turns: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    def shape_turn(self, site_id: int) -> asyncio.Lock:
        """Returns the lock under which shapes of a site's cascades are computed, by one caller at a time."""
        return self._shape_turns.setdefault(site_id, asyncio.Lock())

    async def earliest_visits(self, site_id: int) -> list[CascadeVisit]:
        """Returns up to 200 visits of a site's first days, in no order of time within a day; no minted links."""
        return [CascadeVisit(*row) for row in await self._run("earliest_visits", site_id=site_id)]

    async def chain_to(self, site_id: int, visit_id: int) -> StoredChain:
        """Returns the chain that ends at this visit; empty when the visit is not there."""
        visit = visit_params(site_id, visit_id)
        visits = [CascadeVisit(*row) for row in await self._run("chain_to_visit", **visit, most=MOST_OF_CHAIN)]
        if len(visits) < MOST_OF_CHAIN or visits[0].parent_id is None:
            return StoredChain(visits)
        root = [CascadeVisit(*row) for row in await self._run("root_of_visit", **visit)]
        if not root:  # past retention
            return StoredChain(visits)
        # Each visit of a chain is one deeper than the one above it, from the root at 0; so nothing needs to be counted.
        return StoredChain([*root, *visits[1:]], omitted=visits[1].depth - 1)

    async def visits_by_id(self, site_id: int, visits: Iterable[int]) -> dict[int, CascadeVisit]:
        """Those of ``visits`` that are stored."""
        rows = await self._run("cascade_visits_by_id", visit_keys(visits), site_id=site_id)
        return {row[0]: CascadeVisit(*row) for row in rows}

    async def cascade_order(
        self, site_id: int, sort: str, value: float, root_id: int, limit: int, least_reporter: int
    ) -> list[tuple[float, int]]:
        """The next cascades after (``value``, ``root_id``) in the order ``sort``, as (sort value, root id).

        In the order ``value`` that is a sum in millionths, exact however many bits it has.
        """
        if sort == "value":
            units, rest = money.parted(int(value))
            rows = await self._run(
                "cascades_by_value",
                site_id=site_id,
                units=units,
                rest=rest,
                root_id=root_id,
                limit=limit,
                least_reporter=least_reporter,
            )
            return [(total, root) for *parts, root in rows if (total := money.joined(*parts)) is not None]
        rows = await self._run(f"cascades_by_{sort}", site_id=site_id, value=value, root_id=root_id, limit=limit)
        return [(value, root) for value, root in rows]

    async def cascade_heads(self, site_id: int, roots: Sequence[int]) -> dict[int, CascadeFacts]:
        """The summaries of those of ``roots`` that have one, by root."""
        rows = await self._run("cascade_heads", visit_keys(roots), site_id=site_id)
        return {row[0]: CascadeFacts(*row) for row in rows}

    async def lonely_cascade(self, site_id: int, root: int) -> CascadeFacts | None:
        """A visit as if it had a summary, or None when it is not there."""
        rows = await self._run("lonely_cascade", site_id=site_id, root_id=root, cell=ids.cell_of(root))
        return CascadeFacts(*rows[0]) if rows else None

    async def cascade_worth(
        self, site_id: int, roots: Sequence[int], least_reporter: int
    ) -> dict[int, list[tuple[str | None, int | None]]]:
        """Returns the value of the conversions of some cascades as (currency, millionths) by root."""
        sums: dict[tuple[int, str | None], int] = {}
        for query in ("root_values", "cascade_values"):
            found_rows = await self._run(query, visit_keys(roots), site_id=site_id, least_reporter=least_reporter)
            for root, currency, units, rest in found_rows:
                sums[root, currency] = sums.get((root, currency), 0) + (money.joined(units, rest) or 0)
        found: dict[int, list[tuple[str | None, int | None]]] = {}
        for (root, currency), worth in sums.items():
            found.setdefault(root, []).append((currency, worth))
        return found

    async def stale_shapes(self, site_id: int, small: int, before: int, limit: int) -> list[tuple[int, int]]:
        """(root, size) of cascades that grew since their shape was computed; of more than ``small`` visits only those
        whose shape is older than ``before``."""
        rows = await self._run("stale_shapes", site_id=site_id, small=small, before=before, limit=limit)
        return [(root, size) for root, _, size in rows]

    async def shape_visits(self, site_id: int, roots: Sequence[int]) -> dict[int, ShapeVisits]:
        """The visits below each of ``roots``, self-returns left out."""
        found = {root: ShapeVisits([], set(), set()) for root in roots}
        rows = await self._run("shape_visits", visit_keys(roots), site_id=site_id)
        for root, visit, parent, depth, erased, network in rows:
            found[root].visits.append((visit, parent, depth))
            if erased:
                found[root].erased.add(visit)
            if network is not None:
                found[root].networks.add(network)
        for (root,) in await self._run("erased_roots", visit_keys(roots), site_id=site_id):
            found[root].erased.add(root)
        return found

    async def networks(self, site_id: int, roots: Sequence[int]) -> dict[int, int]:
        """Returns from how many networks the returns to cascades came, each counted once a day."""
        found = dict(await self._run("networks_of_cascades", visit_keys(roots), site_id=site_id))
        return {root: found.get(root, 0) for root in roots}

    async def cascade_visits(self, site_id: int, root: int) -> list[CascadeVisit]:
        """All visits of a cascade by depth and time, self-returns left out."""
        rows = await self._run("cascade_visits", site_id=site_id, root_id=root, cell=ids.cell_of(root))
        return [CascadeVisit(*row) for row in rows]

    async def cascade_conversions(self, site_id: int, root: int, least_reporter: int) -> list[Converted]:
        """The conversions of a cascade by visit, reporter and currency."""
        rows = await self._run("cascade_conversions", site_id=site_id, root_id=root, cell=ids.cell_of(root))
        return [counted(visit, least_reporter, *numbers) for visit, *numbers in rows]

    async def cascade_unfurls(self, site_id: int, root: int) -> list[tuple[int, int, int, str, int]]:
        """The unfurls of a cascade's shares as (visit, channel, n, app, number)."""
        rows = await self._run("cascade_unfurls", site_id=site_id, root_id=root, cell=ids.cell_of(root))
        return [(visit, channel, n, app, times) for visit, channel, n, app, times in rows]
