"""Adding, changing and finding sites on a real store."""

from __future__ import annotations

import asyncio
from itertools import cycle

import pytest

from grapevine.domain.ids import ALPHABET
from grapevine.errors import Forbidden, UnknownSite
from grapevine.sites.management import add_site, change_site, find_site
from grapevine.sites.random_letters import Random
from grapevine.store.sqlite.store import SQLiteStore

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000
ORIGINS = ["https://a.example"]


def counting() -> Random:
    """Bytes that count up, so that what is drawn can be foretold."""
    numbers = cycle(range(256))
    return lambda length: bytes(next(numbers) for _ in range(length))


async def test_a_new_site(store: SQLiteStore) -> None:
    added = await add_site(store, " Lees ", ["https://A.example/", "http://localhost:80"], NOW, counting())
    (site,) = await store.sites.sites()
    assert site == added.row
    assert (site.site_id, site.key, site.name) == (1, ALPHABET[:16], "Lees")
    assert site.salt == bytes(range(16, 48)).hex()
    assert (site.param, site.place, site.query, site.element) == ("gv", "auto", "*", "grapevine")
    assert site.created_at == NOW
    assert site.origins == ("https://a.example", "http://localhost")
    (key,) = await store.api_keys.keys(site.site_id)
    assert key == added.key.row
    assert (key.scope, key.name, key.revoked_at) == ("admin", "first key", None)


async def test_sites_added_at_the_same_time_have_numbers_of_their_own(store: SQLiteStore) -> None:
    added = await asyncio.gather(*(add_site(store, f"Site {n}", ORIGINS, NOW) for n in range(8)))
    assert {site.row.site_id for site in added} == set(range(1, 9))
    assert len({site.row.key for site in added}) == len({site.row.salt for site in added}) == 8


async def test_changes_of_a_site(store: SQLiteStore) -> None:
    site = (await add_site(store, "Lees", ORIGINS, NOW)).row
    before = await store.sites.version()
    changed = await change_site(
        store.sites,
        site,
        {"name": ["Dregs"], "origin": ["https://b.example", "https://c.example/"], "param": ["via"],
         "place": ["query"], "query": ["page, id page"], "element": ["lees-2"]},
    )  # fmt: skip
    assert await store.sites.sites() == [changed]
    assert (changed.name, changed.param, changed.place, changed.query) == ("Dregs", "via", "query", "id page")
    assert changed.element == "lees-2"
    assert changed.origins == ("https://b.example", "https://c.example")
    assert (changed.key, changed.salt) == (site.key, site.salt)
    assert await store.sites.version() > before
    assert (await change_site(store.sites, changed, {"query": [""]})).query == ""


async def test_a_change_keeps_what_others_changed_meanwhile(store: SQLiteStore) -> None:
    seen = (await add_site(store, "Lees", ORIGINS, NOW)).row
    await change_site(store.sites, seen, {"name": ["Dregs"], "origin": ["https://b.example"]})
    await change_site(store.sites, seen, {"contact": ["privacy@a.example"]})
    changed = await change_site(store.sites, seen, {"param": ["via"]})
    assert (changed.name, changed.contact, changed.param) == ("Dregs", "privacy@a.example", "via")
    assert changed.origins == ("https://b.example",)
    assert await store.sites.sites() == [changed]


async def test_a_change_of_nothing_makes_nobody_read_the_sites_again(store: SQLiteStore) -> None:
    site = (await add_site(store, "Lees", ORIGINS, NOW)).row
    before = await store.sites.version()
    assert await change_site(store.sites, site, {"name": [" Lees"], "origin": ORIGINS, "query": ["*"]}) == site
    assert await store.sites.version() == before


async def test_a_site_that_was_deleted_meanwhile_is_not_changed(store: SQLiteStore) -> None:
    site = (await add_site(store, "Lees", ORIGINS, NOW)).row
    later = (await add_site(store, "Dregs", ORIGINS, NOW)).row
    await store.site_deletion.begin(site.site_id, NOW)
    with pytest.raises(UnknownSite, match="'Lees' was deleted"):
        await change_site(store.sites, site, {"name": ["Pomace"]})
    assert await store.sites.sites() == [later]


async def test_sites_by_their_key(store: SQLiteStore) -> None:
    added = await add_site(store, "Lees", ORIGINS, NOW)
    assert await find_site(store.sites, added.row.key) == added.row
    with pytest.raises(UnknownSite, match="nobody"):
        await find_site(store.sites, "nobody")
    with pytest.raises(Forbidden, match="public key") as caught:
        await find_site(store.sites, added.key.secret)
    assert added.key.secret not in str(caught.value)
