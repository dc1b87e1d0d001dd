"""Cascades against a random world: the list in every order, page by page, and each one as a tree."""

from __future__ import annotations

import asyncio
import base64
from collections.abc import AsyncIterator, Sequence
from typing import Any

import msgspec
import networkx as nx  # type: ignore[import-untyped]
import pytest

from grapevine.analytics.cascades import SORTS, CascadeHead, list_cascades, read_cascade
from grapevine.domain import channels, enums, ids
from grapevine.errors import Invalid, NotFound, UnknownVisit
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.store.readers.cascades import ShapeVisits
from tests.store.analytics.expected_counts import Happening, worth
from tests.store.databases import Database, Databases, Plant
from tests.store.world import LINK, Visit, World, grow, site_of

pytestmark = pytest.mark.anyio

NOW = 1_800_000_000_000


GROWN = Plant(11, size=300)


class WorldOfCascades:
    """A store that holds one world and a second one of another site."""

    def __init__(self, database: Database, store: Store) -> None:
        self.database = database
        self.store = store
        self.world = grow(*GROWN)
        self.site: Site = site_of(self.world)

    async def rows(self) -> list[tuple[Any, ...]]:
        """(root, size, shape_size, shape_at) of the world's cascades."""
        return await self.database.rows(
            "SELECT root_id, size, shape_size, shape_at FROM cascades WHERE site_id = 7 ORDER BY root_id"
        )


@pytest.fixture
async def filled(databases: Databases) -> AsyncIterator[WorldOfCascades]:
    async with databases.holding(GROWN, Plant(11, site_id=8)) as database:
        store = database.store()
        await store.open()
        yield WorldOfCascades(database, store)
        await store.close()


def tree_of(world: World, root: Visit) -> nx.Graph:
    tree: nx.Graph = nx.Graph()
    tree.add_node(root.visit_id)
    tree.add_edges_from((visit.parent.visit_id, visit.visit_id) for visit in world.members(root) if visit.parent)
    return tree


def check_head(world: World, head: CascadeHead) -> None:
    (root,) = (visit for visit in world.visits if ids.visit_text(visit.visit_id) == head.root)
    members = world.members(root)
    depths = [visit.depth for visit in members]
    converted = [
        Happening(visit, at, 0, {}, value=value, currency=currency)
        for visit in world.visits
        if visit.root is root and visit.verdict is None
        for at, value, currency in visit.values
    ]
    tree = tree_of(world, root)
    assert head.url == root.page
    assert head.size == sum(visit.counts for visit in members)
    assert head.max_depth == max(depths)
    assert head.breadth == max(depths.count(depth) for depth in depths)
    expected = nx.average_shortest_path_length(tree) if len(members) > 1 else None
    assert head.structural_virality == (None if expected is None else pytest.approx(expected))
    shared = [
        share for share in world.shares.values()
        if share.visit.root is root and share.visit.verdict is None and share.visit.source != LINK
    ]  # fmt: skip
    assert head.shares == sum(share.first_at is not None for share in shared)
    assert (head.conversions, head.value) == (
        sum(one.value is None or one.value > 0 for one in converted),
        worth(converted),
    )


@pytest.mark.parametrize("sort", SORTS)
@pytest.mark.parametrize("limit", [3, 200])
async def test_the_list_in_every_order(filled: WorldOfCascades, sort: str, limit: int) -> None:
    site = filled.site
    heads: list[CascadeHead] = []
    cursor = None
    while True:
        page = await list_cascades(filled.store, site, NOW, sort, limit, cursor)
        assert len(page.cascades) <= limit
        heads += page.cascades
        cursor = page.next
        if cursor is None:
            break
    assert {head.root for head in heads} == {ids.visit_text(root.visit_id) for root in filled.world.roots()}
    assert len(heads) == len(filled.world.roots()) > 10
    for head in heads:
        check_head(filled.world, head)
    keys: dict[str, list[Any]] = {
        "size": [head.size for head in heads],
        "depth": [head.max_depth for head in heads],
        "virality": [head.structural_virality or 0 for head in heads],
        "value": [round(sum(float(amount) for amount in head.value.values()), 6) for head in heads],
        "recent": [head.last_at for head in heads],
    }
    assert keys[sort] == sorted(keys[sort], reverse=True)


async def test_every_cascade_as_a_tree(filled: WorldOfCascades) -> None:
    world, site = filled.world, filled.site
    for root in (visit for visit in world.visits if visit.parent is None):
        answer = await read_cascade(filled.store, site, ids.visit_text(root.visit_id), NOW)
        check_head(world, answer)
        members = {ids.visit_text(visit.visit_id): visit for visit in world.members(root)}
        assert {node.visit for node in answer.nodes} == set(members)
        assert [node.depth for node in answer.nodes] == sorted(node.depth for node in answer.nodes)
        for node in answer.nodes:
            visit = members[node.visit]
            assert node.parent == (ids.visit_text(visit.parent.visit_id) if visit.parent else None)
            via = (channels.NAMES[visit.through.channel], visit.through.n) if visit.through else None
            assert (node.via and (node.via.channel, node.via.n)) == via
            assert (node.url, node.conversions) == (visit.page, 0 if visit.verdict else len(visit.conversions))
            assert node.verdict == (enums.VERDICT_NAMES[visit.verdict] if visit.verdict else None)
            assert (node.source, node.device) == (enums.SOURCE_NAMES[visit.source], enums.DEVICE_NAMES[visit.device])


async def test_shapes_are_computed_once_and_again_after_growth(filled: WorldOfCascades) -> None:
    site = filled.site
    await list_cascades(filled.store, site, NOW, "virality")
    stored = await filled.rows()
    assert all(shape_size == size and shape_at == NOW for _, size, shape_size, shape_at in stored)
    root = stored[0][0]
    await read_cascade(filled.store, site, ids.visit_text(root), NOW + 1)
    assert await filled.rows() == stored
    await filled.database.change("UPDATE cascades SET size = size + 1 WHERE root_id = ? AND site_id = 7", root)
    await list_cascades(filled.store, site, NOW + 1, "virality")
    changed = [row for row in await filled.rows() if row not in stored]
    assert [(row[0], row[3]) for row in changed] == [(root, NOW + 1)]


async def test_concurrent_lists_share_one_computation(filled: WorldOfCascades, monkeypatch: pytest.MonkeyPatch) -> None:
    reader, computed = filled.store.reads.cascades, list[int]()
    read = reader.shape_visits

    async def counted(site_id: int, roots: Sequence[int]) -> dict[int, ShapeVisits]:
        computed.extend(roots)
        return await read(site_id, roots)

    await list_cascades(filled.store, filled.site, NOW, "virality")
    await filled.database.change("UPDATE cascades SET size = size + 1 WHERE site_id = ?", filled.site.site_id)
    monkeypatch.setattr(reader, "shape_visits", counted)
    lists = await asyncio.gather(*(list_cascades(filled.store, filled.site, NOW + 1, limit=200) for _ in range(9)))
    assert all(each == lists[0] for each in lists)
    assert sorted(computed) == sorted({root for root, *_ in await filled.rows()})


async def test_a_very_large_cascade_is_looked_at_once_a_minute(filled: WorldOfCascades) -> None:
    site = filled.site
    root = (await filled.rows())[0][0]
    await filled.database.change(
        "UPDATE cascades SET size = 20000, shape_size = 19999 WHERE root_id = ? AND site_id = 7", root
    )
    for now, shape_size in ((59_000, 19_999), (60_001, 20_000)):
        await list_cascades(filled.store, site, now, "virality")
        await list_cascades(filled.store, site, now, "size")
        assert {row[0]: row[2] for row in await filled.rows()}[root] == shape_size


async def test_what_is_no_root_says_so(filled: WorldOfCascades) -> None:
    site = filled.site
    child = next(visit for visit in filled.world.visits if visit.parent is not None)
    with pytest.raises(NotFound, match=ids.visit_text(child.root.visit_id)):
        await read_cascade(filled.store, site, ids.visit_text(child.visit_id), NOW)
    for text in ("", "moon", "zzzzzzzzzzz", "----------0"):
        with pytest.raises(NotFound):
            await read_cascade(filled.store, site, text, NOW)
    with pytest.raises(UnknownVisit):
        await read_cascade(filled.store, site, ids.visit_text(ids.pack(1, 2, 3)), NOW)


def cursor(*position: object) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(position)).decode().rstrip("=")


@pytest.mark.parametrize(
    ("field", "arguments"),
    [
        ("sort", {"sort": "beauty"}),
        ("limit", {"limit": 0}),
        ("limit", {"limit": 201}),
        *(
            ("cursor", {"cursor": text})
            for text in (
                "", "!", "AAAA", "é", "a" * 5_000, cursor(), cursor("size"), cursor("depth", 1, 1),
                cursor("size", 1.5, 1), cursor("size", "x", 1), cursor("size", 1 << 63, 1), cursor("size", 1, 1 << 60),
                cursor("size", 1, -1), cursor("size", None, 1), cursor("size", 1, 1, 1),
            )
        ),
    ],
)  # fmt: skip
async def test_refusals_name_the_field(filled: WorldOfCascades, field: str, arguments: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        await list_cascades(filled.store, filled.site, NOW, **arguments)
    assert [error.field for error in caught.value.errors] == [field]


async def test_a_cascade_outlives_its_root(filled: WorldOfCascades) -> None:
    site = filled.site
    root = max(filled.world.roots(), key=lambda visit: len(filled.world.members(visit)))
    await filled.database.change("DELETE FROM visits WHERE visit_id = ? AND site_id = 7", root.visit_id)
    answer = await read_cascade(filled.store, site, ids.visit_text(root.visit_id), NOW)
    assert len(answer.nodes) == len(filled.world.members(root)) - 1
    assert answer.structural_virality == pytest.approx(nx.average_shortest_path_length(tree_of(filled.world, root)))
