"""A random world in days that have long passed, stored in the database that servers are started on."""

from __future__ import annotations

from typing import Final

from grapevine.store.copy.schema import all_tables
from tests.store.world import World, grow
from tests.store.world_rows import rows_of
from tests.support.server_process import Installation

SITE: Final = 1
_COLUMNS: Final = {table.name: table.names for table in all_tables()}


async def fill(installation: Installation, visits: int) -> World:
    """Stores a world of so many visits on the installation's site, and returns it."""
    world = grow(1, site_id=SITE, size=visits)
    rows_by_table = rows_of(world)
    # The names of links are found by hashes with the installation's own key.
    unnamed = {"label": None, "external_id": None, "campaign": None}
    links = [dict(zip(_COLUMNS["links"], row, strict=True)) | unnamed for row in rows_by_table["links"]]
    rows_by_table |= {"links": [tuple(link.values()) for link in links], "link_names": []}
    for table, rows in rows_by_table.items():
        await installation.insert(table, _COLUMNS[table], rows)
    return world
