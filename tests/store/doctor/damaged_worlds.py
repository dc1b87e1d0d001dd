"""Databases that hold a world, for tests that damage them and check that exactly the damage is found."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from grapevine.store.factory import snapshot
from grapevine.store.repositories.consistency import COMPARISONS, ComparisonResult, Recount
from tests.store.databases import Database, Databases, Plant
from tests.store.world import Visit, World, grow
from tests.support.differences import Differences

OTHER = 8
EVERYTHING = 1_000_000


class DamageableWorld:
    """A database that holds one world and a second one of another site."""

    def __init__(self, database: Database, world: World) -> None:
        self.database = database
        self.settings = database.settings
        self.change = database.change
        self.rows = database.rows
        self.world = world

    async def recount(self, site_id: int | None = None, most: int = EVERYTHING) -> dict[str, ComparisonResult]:
        """Returns the comparisons with differences, by name."""
        async with snapshot(self.settings) as moment:
            recount = Recount(moment)
            found = {name: await recount.compare(name, site_id, most) for name in COMPARISONS}
        return {name: one for name, one in found.items() if one.differing or one.differences}

    async def discrepancies(self, site_id: int | None = None) -> dict[str, set[tuple[str, int | None, int | None]]]:
        """(measure, stored, counted) of everything that differs, by comparison."""
        return {
            name: {(one.measure, one.stored, one.counted) for one in found.differences}
            for name, found in (await self.recount(site_id)).items()
        }


@asynccontextmanager
async def planted(databases: Databases, seed: int) -> AsyncIterator[DamageableWorld]:
    async with databases.holding(Plant(seed), Plant(seed, site_id=OTHER)) as database:
        yield DamageableWorld(database, grow(seed))


class Worlds:
    """Databases of one backend that hold a world each, one after the other."""

    def __init__(self, databases: Databases, seeds: tuple[int, ...]) -> None:
        self.databases = databases
        self.seeds = seeds

    async def __aiter__(self) -> AsyncIterator[DamageableWorld]:
        for seed in self.seeds:
            async with planted(self.databases, seed) as found:
                yield found


def in_every_world(ask: Callable[[DamageableWorld], Awaitable[None]]) -> Callable[[Worlds], Awaitable[None]]:
    """Makes a test of ``ask`` that asks every world, and fails with the worlds that it failed in."""

    async def test(worlds: Worlds) -> None:
        differences = Differences()
        async for filled in worlds:
            with differences.case(filled.world.visits[0].visit_id):
                await ask(filled)
        differences.check(len(worlds.seeds))

    test.__name__ = ask.__name__
    return test


def ordinary(world: World) -> Visit:
    """Returns a visit without token, share or conversion."""
    busy = {share.visit.visit_id for share in world.shares.values()}
    return next(
        visit
        for visit in world.real_visits()
        if visit.through is None and not visit.conversions and visit.visit_id not in busy
    )


def grown(world: World) -> Visit:
    """Returns the root of a cascade."""
    return max(world.roots(), key=lambda root: len(world.members(root)))
