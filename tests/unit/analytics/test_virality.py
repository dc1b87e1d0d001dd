"""The shape of cascades against networkx."""

from __future__ import annotations

import networkx as nx  # type: ignore[import-untyped]
import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.analytics.models.virality import cascade_shape


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
    found = cascade_shape(0, visits)
    tree = nx.Graph()
    tree.add_node(0)
    tree.add_edges_from((parent, node) for node, parent, _ in visits)
    expected = nx.average_shortest_path_length(tree) if parents else None
    assert found.virality == (None if expected is None else pytest.approx(expected))
    generations = list(nx.single_source_shortest_path_length(tree, 0).values())
    assert found.breadth == max(generations.count(depth) for depth in generations)


@given(trees(), st.sets(st.integers(0, 40)))
def test_erased_visits_connect_the_others_and_are_no_nodes(parents: list[int], erased: set[int]) -> None:
    visits = below(parents)
    found = cascade_shape(0, visits, erased)
    tree = nx.Graph()
    tree.add_node(0)
    tree.add_edges_from((parent, node) for node, parent, _ in visits)
    left = [node for node in tree if node not in erased]
    distances = dict(nx.all_pairs_shortest_path_length(tree))
    pairs = [distances[one][other] for one in left for other in left if one != other]
    assert found.virality == (pytest.approx(sum(pairs) / len(pairs)) if pairs else None)
    generations = [distances[0][node] for node in left if node]
    expected = max((generations.count(depth) for depth in generations), default=0 if parents else 1)
    assert found.breadth == expected


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
    found = cascade_shape(0, visits)
    assert found == (breadth, virality if virality is None else pytest.approx(virality))


def test_a_long_path_takes_no_recursion() -> None:
    size = 20_000
    found = cascade_shape(0, [(node, node - 1, node) for node in range(1, size)])
    assert found.virality == pytest.approx((size + 1) / 3)
