"""Where a cascade's links were pasted, against every single share, on each backend."""

from __future__ import annotations

import sqlite3
from collections import Counter
from contextlib import closing

import pytest

from grapevine.analytics.cascade_unfurls import CascadeUnfurls, cascade_unfurls
from grapevine.domain import ids
from grapevine.store import sql_loader
from tests.store.databases import Databases, Plant
from tests.store.sqlite.test_query_plans import plan
from tests.store.world import World, grow, site_of

pytestmark = pytest.mark.anyio


async def test_unfurls_of_a_cascade(databases: Databases) -> None:
    world = grow(4)
    site = site_of(world)
    async with databases.holding(Plant(4), Plant(4, site_id=8)) as database:
        store = database.store()
        await store.open()
        met = 0
        for root in (visit for visit in world.visits if visit.parent is None):
            visits: dict[str, Counter[str]] = {}
            for share in world.shares.values():
                if share.visit.root is root and share.unfurls and share.visit.verdict is None:
                    of_visit = visits.setdefault(ids.visit_text(share.visit.visit_id), Counter())
                    of_visit.update(app for app, _ in share.unfurls)
            found = await cascade_unfurls(store.reads, site, ids.visit_text(root.visit_id))
            assert found == CascadeUnfurls(
                dict(sum(visits.values(), Counter())), {one: dict(n) for one, n in visits.items()}
            )
            assert found.of("00000000000") == {}
            met += len(visits) > 1
        assert met > 2
        assert await cascade_unfurls(store.reads, site, "nothing") == CascadeUnfurls({}, {})
        assert await cascade_unfurls(
            store.reads, site_of(World(site_id=99)), ids.visit_text(root.visit_id)
        ) == CascadeUnfurls({}, {})
        await store.close()


def test_unfurls_are_read_through_indexes() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        for migration in sql_loader.migrations():
            database.executescript(sql_loader.for_dialect("sqlite", migration.text))
        steps = plan(database, "cascade_unfurls")
    searches = [step for step in steps if step.startswith(("SEARCH", "SCAN"))]
    assert len(searches) == 4
    assert not [step for step in searches if step.startswith("SCAN") or step.endswith("(site_id=?)")]
