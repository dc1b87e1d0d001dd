"""Settings of a site: which are accepted, and the field that an error names."""

from __future__ import annotations

import pytest

from grapevine.errors import Invalid
from grapevine.sites.management import add_site, change_site
from grapevine.store.sqlite.store import SQLiteStore

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000
ORIGINS = ["https://a.example"]


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


@pytest.mark.parametrize("element", ["a", "lees", "lees-2", "x" * 20])
async def test_names_of_elements_that_can_be(store: SQLiteStore, element: str) -> None:
    site = (await add_site(store, "Lees", ORIGINS, NOW)).row
    await change_site(store.sites, site, {"element": [element]})
    (stored,) = await store.sites.sites()
    assert stored.element == element
