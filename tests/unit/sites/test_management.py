"""Sites, keys and snippets on a real store."""

from __future__ import annotations

import asyncio
import hashlib
from collections import Counter
from collections.abc import AsyncIterator
from itertools import cycle
from pathlib import Path

import pytest

from grapevine.domain.ids import ALPHABET
from grapevine.errors import Forbidden, Invalid, UnknownSite
from grapevine.sites.api_keys import add_key, find_key
from grapevine.sites.management import add_site, change_site, find_site
from grapevine.sites.random_letters import Random
from grapevine.sites.snippet import snippet
from grapevine.store.rows import SiteRow
from grapevine.store.sqlite.store import SQLiteStore

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000
ORIGINS = ["https://a.example"]


@pytest.fixture
async def store(tmp_path: Path, anyio_backend: str) -> AsyncIterator[SQLiteStore]:
    assert anyio_backend == "asyncio"
    store = SQLiteStore(tmp_path / "grapevine.sqlite3")
    await store.open()
    yield store
    await store.close()


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


async def test_only_the_hash_of_a_secret_is_stored(store: SQLiteStore, tmp_path: Path) -> None:
    added = (await add_site(store, "Lees", ORIGINS, NOW)).key
    assert len(added.secret) == 43
    assert added.secret.startswith("gv_")
    assert await find_key(store.api_keys, added.secret) == added.row
    assert await find_key(store.api_keys, f"{added.secret}x") is None
    stored = b"".join(file.read_bytes() for file in sorted(tmp_path.iterdir()))  # noqa: ASYNC240
    assert added.secret.encode() not in stored
    assert hashlib.sha256(added.secret.encode()).hexdigest().encode() in stored


async def test_a_revoked_key(store: SQLiteStore) -> None:
    added = (await add_site(store, "Lees", ORIGINS, NOW)).key
    assert await store.api_keys.revoke_key(added.row.key_id, NOW + 1)
    assert await find_key(store.api_keys, added.secret) is None


async def test_sites_added_at_the_same_time_have_numbers_of_their_own(store: SQLiteStore) -> None:
    added = await asyncio.gather(*(add_site(store, f"Site {n}", ORIGINS, NOW) for n in range(8)))
    assert {site.row.site_id for site in added} == set(range(1, 9))
    assert len({site.row.key for site in added}) == len({site.row.salt for site in added}) == 8


async def test_every_letter_is_as_likely_as_any_other(store: SQLiteStore) -> None:
    site = (await add_site(store, "Lees", ORIGINS, NOW)).row
    bytes_once = iter(range(256))

    def each_byte_once(length: int) -> bytes:
        return bytes(next(bytes_once, 255) for _ in range(length))

    drawn = Counter[str]()
    for _ in range(4):
        added = await add_key(store.api_keys, site, "read", "key", NOW, each_byte_once)
        drawn.update(added.secret.removeprefix("gv_") + added.row.key_id)
    assert len(drawn) == 62
    assert set(drawn.values()) == {3, 4}


@pytest.mark.parametrize(
    ("name", "origins", "field"),
    [
        ("", ORIGINS, "name"),
        ("x" * 101, ORIGINS, "name"),
        ("a\x1b[31mb", ORIGINS, "name"),
        ("Lees", [], "origin"),
        ("Lees", ["a.example"], "origin"),
        ("Lees", ["https://a.example/blog"], "origin"),
        ("Lees", ["https://ann@a.example"], "origin"),
        ("Lees", ["ftp://a.example"], "origin"),
    ],
)
async def test_sites_that_cannot_be(store: SQLiteStore, name: str, origins: list[str], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        await add_site(store, name, origins, NOW)
    assert [error.field for error in caught.value.errors] == [field]
    assert await store.sites.sites() == []


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


@pytest.mark.parametrize(
    ("field", "values"),
    [
        ("name", ["a", "b"]),
        ("origin", ["nonsense"]),
        ("param", [""]),
        ("param", ["a b"]),
        ("param", ["x" * 17]),
        ("param", ["ä"]),
        ("place", ["path"]),
        ("query", ["* id"]),
        ("query", ["a=b"]),
        ("element", [""]),
        ("element", ["Lees"]),
        ("element", ["2lees"]),
        ("element", ["-lees"]),
        ("element", ["lees-"]),
        ("element", ["le--es"]),
        ("element", ["le es"]),
        ("element", ["le_es"]),
        ("element", ["läs"]),
        ("element", ["lees\n"]),
        ("element", ["xml-lees"]),
        ("element", ["x" * 21]),
        ("key", ["mine"]),
        ("salt", ["00"]),
    ],
)
async def test_changes_that_cannot_be(store: SQLiteStore, field: str, values: list[str]) -> None:
    site = (await add_site(store, "Lees", ORIGINS, NOW)).row
    with pytest.raises(Invalid) as caught:
        await change_site(store.sites, site, {field: values})
    assert [error.field for error in caught.value.errors] == [field]
    assert await store.sites.sites() == [site]


async def test_a_scope_that_does_not_exist(store: SQLiteStore) -> None:
    site = (await add_site(store, "Lees", ORIGINS, NOW)).row
    with pytest.raises(Invalid, match="read, write, admin"):
        await add_key(store.api_keys, site, "root", "key", NOW)


async def test_sites_by_their_key(store: SQLiteStore) -> None:
    added = await add_site(store, "Lees", ORIGINS, NOW)
    assert await find_site(store.sites, added.row.key) == added.row
    with pytest.raises(UnknownSite, match="nobody"):
        await find_site(store.sites, "nobody")
    with pytest.raises(Forbidden, match="public key") as caught:
        await find_site(store.sites, added.key.secret)
    assert added.key.secret not in str(caught.value)


def test_snippets() -> None:
    site = SiteRow(
        site_id=1,
        key="KEY",
        name="Lees",
        salt="00",
        param="gv",
        place="auto",
        query="*",
        created_at=NOW,
        origins=("https://a.example",),
    )
    assert (
        snippet(site, "https://share.example.com")
        == '<script async src="https://share.example.com/widget.js" data-site="KEY"></script>'
    )
    other = SiteRow(
        site_id=1,
        key="KEY",
        name="Lees",
        salt="00",
        param="via",
        place="query",
        query="*",
        created_at=NOW,
        origins=("https://a.example",),
    )
    assert snippet(other, "https://share.example.com", "/g") == (
        '<script async src="https://share.example.com/g/widget.js" data-site="KEY" data-param="via" data-place="query">'
        "</script>"
    )
    named = SiteRow(
        site_id=1,
        key="KEY",
        name="Lees",
        salt="00",
        param="gv",
        place="auto",
        query="*",
        created_at=NOW,
        origins=("https://a.example",),
        element="lees",
    )
    assert 'data-site="KEY" data-element="lees">' in snippet(named, "https://share.example.com")


@pytest.mark.parametrize("element", ["a", "lees", "lees-2", "x" * 20])
async def test_names_of_elements_that_can_be(store: SQLiteStore, element: str) -> None:
    site = (await add_site(store, "Lees", ORIGINS, NOW)).row
    await change_site(store.sites, site, {"element": [element]})
    (stored,) = await store.sites.sites()
    assert stored.element == element
