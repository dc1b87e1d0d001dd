"""The layout of trees: nothing overlaps, whatever the tree."""

from __future__ import annotations

import random
from itertools import pairwise

from hypothesis import given, settings
from hypothesis import strategies as st

from grapevine.web.dashboard.cascade_picture import shown_nodes
from grapevine.web.dashboard.tidy_tree import children_of, levels_of, preorder, sizes_of, tidy

NEARLY = 1e-6
unhurried = settings(deadline=None)


@st.composite
def trees(draw: st.DrawFn) -> list[int | None]:
    """Parents of up to 120 nodes, from stars to chains."""
    count = draw(st.integers(1, 120))
    reach = draw(st.integers(1, count))
    return [None] + [draw(st.integers(max(0, node - reach), node - 1)) for node in range(1, count)]


@unhurried
@given(trees())
def test_nodes_of_a_level_keep_their_order_and_distance(parents: list[int | None]) -> None:
    positions, levels = tidy(parents), levels_of(parents)
    rows: dict[int, list[float]] = {}
    for node in preorder(children_of(parents)):
        rows.setdefault(levels[node], []).append(positions[node])
    for row in rows.values():
        assert all(right - left >= 1 - NEARLY for left, right in pairwise(row))
    assert min(positions) == 0


@unhurried
@given(trees())
def test_a_parent_stands_in_the_middle_of_its_children(parents: list[int | None]) -> None:
    positions = tidy(parents)
    for node, children in enumerate(children_of(parents)):
        if children:
            assert abs(positions[node] - (positions[children[0]] + positions[children[-1]]) / 2) < NEARLY


@unhurried
@given(trees())
def test_a_tree_is_never_wider_than_its_leaves_in_a_row(parents: list[int | None]) -> None:
    leaves = sum(not children for children in children_of(parents))
    assert max(tidy(parents)) <= leaves - 1 + NEARLY


@unhurried
@given(trees(), st.integers(1, 150))
def test_what_is_shown_is_a_tree_of_the_largest_branches(parents: list[int | None], most: int) -> None:
    shown = shown_nodes(parents, most)
    assert min(most, len(parents)) <= len(shown) <= 2 * most
    assert shown == sorted(set(shown))
    assert all(parents[node] is None or parents[node] in shown for node in shown)
    sizes = sizes_of(parents)
    hidden = set(range(len(parents))) - set(shown)
    kept = sorted((sizes[node] for node in shown), reverse=True)[:most]
    assert all(sizes[node] <= kept[-1] for node in hidden)
    for node in shown:
        below = sum(sizes[child] for child in hidden if parents[child] == node)
        assert below != 1, "a marker stands for two visits at least"


def test_equal_subtrees_look_equal() -> None:
    forked: list[int | None] = [None, 0, 0, 1, 1, 2, 2]
    positions = tidy(forked)
    assert positions == [1.5, 0.5, 2.5, 0, 1, 2, 3]


def test_a_chain_is_straight_however_long() -> None:
    chain: list[int | None] = [None, *range(49_999)]
    assert set(tidy(chain)) == {0}


def test_a_large_tree_takes_no_quadratic_time() -> None:
    """An algorithm of quadratic cost would take twenty thousand million steps and never finish here."""
    draw = random.Random(1)  # noqa: S311
    parents: list[int | None] = [None, *(draw.randrange(max(0, node - 40), node) for node in range(1, 150_000))]
    assert len(tidy(parents)) == len(parents)
