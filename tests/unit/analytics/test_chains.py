"""The shape of cascades against networkx, and chains with corners."""

from __future__ import annotations

import networkx as nx  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.analytics.chains import chain, nodes, shape
from grapevine.domain import enums, ids
from grapevine.domain.tokens import Tokens
from grapevine.store.rows import ASIDE, ERASED, CascadeVisit

TOKENS = Tokens([b"secret"], b"salt")


@st.composite
def trees(draw: st.DrawFn) -> list[int]:
    """A random tree as the parent of each node after the first: node i + 1 hangs on one of 0 … i."""
    size = draw(st.integers(0, 40))
    return [draw(st.integers(0, node)) for node in range(size)]


def below(parents: list[int]) -> list[tuple[int, int, int]]:
    depths = [0]
    for parent in parents:
        depths.append(depths[parent] + 1)
    return [(node, parent, depths[node]) for node, parent in enumerate(parents, start=1)]


@given(trees(), st.randoms(use_true_random=False))
def test_structural_virality_is_the_mean_distance_over_all_pairs(parents: list[int], order: object) -> None:
    visits = below(parents)
    order.shuffle(visits)  # type: ignore[attr-defined]
    found = shape(0, visits)
    tree = nx.Graph()
    tree.add_node(0)
    tree.add_edges_from((parent, node) for node, parent, _ in visits)
    expected = nx.average_shortest_path_length(tree) if parents else None
    assert found.virality == (None if expected is None else pytest.approx(expected))
    generations = list(nx.single_source_shortest_path_length(tree, 0).values())
    assert found.breadth == max(generations.count(depth) for depth in generations)


@pytest.mark.parametrize(
    ("visits", "breadth", "virality"),
    [
        ([], 1, None),
        ([(1, 0, 1)], 1, 1.0),
        ([(1, 0, 1), (2, 1, 2)], 1, 4 / 3),
        ([(1, 0, 1), (2, 0, 1), (3, 0, 1)], 3, 1.5),
        ([(0, None, 0), (1, 0, 1)], 1, 1.0),
        ([(1, 99, 3), (2, 99, 3)], 2, 4 / 3),
    ],
    ids=["alone", "pair", "path", "star", "root among them", "parents past retention"],
)
def test_small_shapes(visits: list[tuple[int, int | None, int]], breadth: int, virality: float | None) -> None:
    found = shape(0, visits)
    assert found == (breadth, virality if virality is None else pytest.approx(virality))


def test_a_long_path_takes_no_recursion() -> None:
    size = 20_000
    found = shape(0, [(node, node - 1, node) for node in range(1, size)])
    assert found.virality == pytest.approx((size + 1) / 3)


def visit(number: int, **changes: int | None) -> CascadeVisit:
    usual: dict[str, int | None] = {
        "visit_id": ids.pack(2_000, 5, number), "at": ids.day_start(2_000), "page_id": 1, "source": 0, "channel": None,
        "n": None, "via_id": None, "parent_id": None, "depth": 0, "flags": 0,
        "verdict": None, "device": 0,
    }  # fmt: skip
    return CascadeVisit(**(usual | changes))  # type: ignore[arg-type]


def test_via_is_minted_for_the_visit_that_the_token_named() -> None:
    root, self_return = visit(1), visit(2, flags=ASIDE)
    through_root = visit(3, channel=7, n=1, parent_id=root.visit_id, depth=1)
    through_self = visit(4, channel=0, n=0, parent_id=root.visit_id, via_id=self_return.visit_id, depth=1)
    found = chain([root, self_return, through_root, through_self], {1: "https://e.org/"}, TOKENS)
    assert found[0].via is None
    assert found[1].is_self
    assert not found[0].is_self
    named = [TOKENS.read(node.via.token) for node in found if node.via]
    assert named == [(root.visit_id, 7, 1), (self_return.visit_id, 0, 0)]
    assert [(node.via.channel, node.via.n) for node in found if node.via] == [("whatsapp", 1), ("copy", 0)]


def test_an_erased_visit_keeps_only_its_place() -> None:
    erased = visit(
        5, flags=ERASED, parent_id=ids.pack(2_000, 5, 1), channel=0, n=0, depth=1, source=enums.SOURCES["share"]
    )
    (node,) = nodes([erased], {1: "https://e.org/"}, {})
    assert (node.at, node.url, node.source, node.device, node.erased) == (None, None, None, None, True)
    assert (node.parent, node.depth) == (ids.visit_text(ids.pack(2_000, 5, 1)), 1)
