"""External ids of minted links end 24 months after their last use, on both stores."""

from __future__ import annotations

from typing import Any, Final

import pytest
from msgspec.structs import astuple

from grapevine.background.leases import Leases
from grapevine.domain import ids
from grapevine.links.expiry_job import EXTERNAL_ID_MS, LinkExpiryJob
from grapevine.store.base import Store
from grapevine.store.repositories.links import LinkRow
from grapevine.writer.link_names import EXTERNAL_ID, names_of
from tests.store.databases import Database, Databases
from tests.store.world import SITE
from tests.store.world_rows import NONCES

pytestmark = pytest.mark.anyio

MADE: Final = ids.day_start(2_400)
NOW: Final = MADE + EXTERNAL_ID_MS + ids.DAY_MS
LATE: Final = NOW - EXTERNAL_ID_MS
"""The first moment that is not over yet."""


async def at_once(_: float) -> None:
    """A pause that takes no time."""


def link(number: int, **changes: Any) -> LinkRow:
    fields: dict[str, Any] = {
        "site_id": SITE, "visit_id": ids.pack(2_400, number, number), "cell": number, "channel": 1, "label": "Card",
        "url": "https://a.example/", "external_id": f"contact-{number % 3}", "campaign": None, "word": None,
        "places": "", "keep": 0, "created_at": MADE, "expires_at": None,
    }  # fmt: skip
    return LinkRow(**(fields | changes))


async def plant(database: Database, *links: LinkRow) -> None:
    """Links as they are stored, without their nodes."""
    await database.insert("links", [(*astuple(each), None) for each in links])
    await database.insert("link_names", [astuple(name) for name in names_of(NONCES, links)])


async def left(database: Database) -> dict[int, bool]:
    """Whether each link has its external id, by number; the names that find them are the same."""
    rows = await database.rows("SELECT cell, visit_id, external_id FROM links ORDER BY cell")
    named = {visit for (visit,) in await database.rows(f"SELECT visit_id FROM link_names WHERE kind = {EXTERNAL_ID}")}
    assert {visit for _, visit, text in rows if text is not None} == named
    assert len(await database.rows(f"SELECT 1 FROM link_names WHERE kind <> {EXTERNAL_ID}")) == len(rows)
    return {number: text is not None for number, _, text in rows}


def job(store: Store, now: int = NOW, holder: str = "a") -> LinkExpiryJob:
    def clock() -> int:
        return now

    return LinkExpiryJob(store, NONCES, Leases(store.leases, clock, holder), clock, at_once)


async def test_an_external_id_lasts_24_months_from_the_last_use(databases: Databases) -> None:
    async with databases.holding() as database:
        used: dict[str, dict[str, Any]] = {
            "unused": {},
            "made later": {"created_at": LATE},
            "kept": {"keep": 1},
            "clicked": {},
            "clicked before": {},
            "returned": {},
            "returned before": {},
            "return deleted": {},
            "without one": {"external_id": None},
        }
        numbers = {name: number for number, name in enumerate(used, 1)}
        links = {name: link(numbers[name], **changes) for name, changes in used.items()}
        await plant(database, *links.values())

        def key(name: str) -> tuple[int, int, int]:
            return SITE, links[name].visit_id, links[name].cell

        await database.insert(
            "link_clicks",
            [
                (*key("clicked"), 1, 0, 7, LATE - 5),
                (*key("clicked"), 2, 0, 1, LATE),  # a scan of its code
                (*key("clicked before"), 1, 0, 7, LATE - 1),
            ],
        )
        shape = (2, 1, 1, 0, None, None, 0, 0, None)
        await database.insert(
            "cascades",
            [(*key("returned"), 0, MADE, LATE, *shape), (*key("returned before"), 0, MADE, LATE - 1, *shape)],
        )
        where = "WHERE (site_id, visit_id, cell) = (?, ?, ?)"
        await database.change(f"UPDATE links SET returned_at = {LATE} {where}", *key("return deleted"))
        store = database.store()
        await store.open()
        assert await job(store, LATE + EXTERNAL_ID_MS - 1 - ids.DAY_MS).run() == 0
        over = {"unused", "clicked before", "returned before"}
        one = job(store)
        assert (await one.run(), await one.run(), await job(store).run()) == (len(over), 0, 0)
        found = await left(database)
        assert {name for name, number in numbers.items() if not found[number]} == over | {"without one"}
        assert await job(store, NOW + EXTERNAL_ID_MS).run() == len(used) - len(over) - 2  # `keep` is for ever
        await store.close()


async def test_links_that_are_used_do_not_keep_it_from_those_behind_them(databases: Databases) -> None:
    """More links than a transaction takes are in use, and were all made in one moment; it may be killed anywhere."""
    async with databases.holding() as database:
        links = [link(number) for number in range(1, 251)]
        await plant(database, *links)
        clicked = [(SITE, each.visit_id, each.cell, 1, 0, 1, NOW) for each in links[:230]]
        await database.insert("link_clicks", clicked)
        store = database.store()
        await store.open()

        class Killed(Exception):
            """The process ends here."""

        async def kill(_: float) -> None:
            raise Killed

        killed = LinkExpiryJob(store, NONCES, Leases(store.leases, lambda: NOW, "a"), lambda: NOW, kill)
        with pytest.raises(Killed):
            await killed.run()
        assert all((await left(database)).values())
        await store.leases.release_lease("link expiry", "a")
        assert await job(store).run() == 20
        found = await left(database)
        assert [number for number, has in found.items() if not has] == list(range(231, 251))
        await store.close()
