"""A store that holds one world and a second one of another site, for tests of read queries."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import NamedTuple

from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads
from tests.store.databases import Database, Databases, Plant
from tests.store.world import World, grow, site_of


class StoredWorld(NamedTuple):
    """One world, its site, and the reads of the store that holds it."""

    reads: Reads
    world: World
    site: Site


@asynccontextmanager
async def stored_world(
    databases: Databases, seed: int, prepare: Callable[[Database], Awaitable[object]] | None = None
) -> AsyncIterator[StoredWorld]:
    """Opens a store with the world of a seed, after ``prepare`` has changed its database."""
    async with databases.holding(Plant(seed), Plant(seed, site_id=8)) as database:
        world = grow(seed)
        if prepare is not None:
            await prepare(database)
        store = database.store()
        await store.open()
        yield StoredWorld(store.reads, world, site_of(world))
        await store.close()
