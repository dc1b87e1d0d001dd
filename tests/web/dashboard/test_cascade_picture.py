"""Cascades as pictures: every visit is shown or counted, nothing touches, whatever shape and size the tree has."""

from __future__ import annotations

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.analytics.cascades import Cascade, CascadeArrival, CascadeNode
from grapevine.domain.periods import rfc3339
from grapevine.web.dashboard.cascade_picture import Drawing, draw
from grapevine.web.dashboard.tree_layout import Columns, Rings
from tests.web.dashboard.test_tidy_tree import trees, unhurried

START = 1_790_000_000_000
CHANNELS = ("copy", "whatsapp", "email", "slack", "x")


def cascade(parents: list[int | None], **changed: CascadeNode) -> Cascade:
    """A cascade of that shape; ``changed`` replaces nodes by their visit."""
    depths: list[int] = []
    for parent in parents:
        depths.append(0 if parent is None else depths[parent] + 1)
    nodes = [node(index, parent, depths[index]) for index, parent in enumerate(parents)]
    return Cascade(
        root="v0", url="https://a.example/", started_at=rfc3339(START), last_at=rfc3339(START + 60_000 * len(nodes)),
        size=len(nodes), max_depth=max(depths), breadth=1, structural_virality=None, shares=0, conversions=0, value={},
        networks=1, link=None, nodes=[changed.get(one.visit, one) for one in nodes],
    )  # fmt: skip


def node(index: int, parent: int | None, depth: int) -> CascadeNode:
    """One visit."""
    via = None if parent is None else CascadeArrival(CHANNELS[index % len(CHANNELS)], 0)
    return CascadeNode(
        visit=f"v{index}", parent=None if parent is None else f"v{parent}", via=via, depth=depth,
        at=rfc3339(START + 60_000 * index), url="https://a.example/", source="search" if parent is None else "share",
        device="phone", conversions=int(index % 7 == 3),
    )  # fmt: skip


def erased(index: int, parent: int | None, depth: int) -> CascadeNode:
    """A visit after erasure: without URL or source."""
    return CascadeNode(f"v{index}", f"v{parent}", None, depth, None, None, None, None, 0, erased=True)


def well_formed(drawing: Drawing) -> None:
    """Lists that are opened are closed, and what is drawn lies inside the picture."""
    opened = sum(row.opens for row in drawing.rows)
    assert opened == sum(row.closes for row in drawing.rows)
    for dot in drawing.dots:
        assert dot.radius <= dot.x <= drawing.width - dot.radius
        assert dot.radius <= dot.y <= drawing.height - dot.radius


@unhurried
@given(trees(), st.integers(1, 60))
def test_every_visit_is_shown_or_counted(parents: list[int | None], most: int) -> None:
    drawing = draw(cascade(parents), most)
    shown = [dot for dot in drawing.dots if not dot.more]
    assert len(shown) + sum(dot.more for dot in drawing.dots) == len(parents)
    assert drawing.hidden == sum(dot.more for dot in drawing.dots)
    assert sorted(row.more for row in drawing.rows) == sorted(dot.more for dot in drawing.dots)
    assert len(drawing.rows) == len(drawing.dots) == len(drawing.edges) + 1
    assert sum(generation.visits for generation in drawing.generations) == len(parents)
    well_formed(drawing)


@unhurried
@given(trees())
def test_nodes_never_touch(parents: list[int | None]) -> None:
    for stage in (Columns(parents, roomy=True), Columns(parents, roomy=False), Rings(parents)):
        spots = stage.spots
        for index, one in enumerate(spots):
            for other in spots[:index]:
                assert math.dist(one, other) >= 2 * stage.radius


@pytest.mark.parametrize(
    ("parents", "kind"),
    [
        ([None], "roomy"),
        ([None, 0, 1], "roomy"),
        ([None] + [0] * 40, "dense"),
        ([None] + [0] * 200, "radial"),
        ([None] + [0] * 5_000, "radial"),
        ([None, *range(3_000)], "dense"),
    ],
)
def test_each_size_has_its_picture(parents: list[int | None], kind: str) -> None:
    drawing = draw(cascade(parents))
    assert drawing.kind == kind
    assert len(drawing.dots) <= 302
    well_formed(drawing)


def test_names_of_channels_stand_where_they_tell_something() -> None:
    roomy = draw(cascade([None, 0, 1]))
    assert [edge.label for edge in roomy.edges] == ["WhatsApp", "E-mail"]
    same = {f"v{index}": node(0, 0, 1) for index in range(1, 20)}
    assert all(changed.via for changed in same.values())
    dense = draw(cascade([None] + [0] * 19, **{name: _named(name, changed) for name, changed in same.items()}))
    assert [edge.label for edge in dense.edges] == ["Copied link"] + [None] * 18


def _named(visit: str, changed: CascadeNode) -> CascadeNode:
    return CascadeNode(visit, "v0", changed.via, 1, changed.at, changed.url, "share", None, 0)


def test_erased_visits_keep_their_place_only() -> None:
    drawing = draw(cascade([None, 0, 1], v1=erased(1, 0, 1)))
    assert [dot.erased for dot in drawing.dots] == [False, True, False]
    assert drawing.dots[1].label == "erased"
    assert "erased since" in drawing.dots[1].title
    assert [generation.visits for generation in drawing.generations] == [1, 0, 1]


def test_a_branch_whose_parent_is_past_retention_hangs_on_the_root() -> None:
    lost = CascadeNode("v2", "gone", CascadeArrival("copy", 0), 5, rfc3339(START), None, "share", None, 0)
    drawing = draw(cascade([None, 0, 1], v2=lost))
    assert len(drawing.edges) == 2
    well_formed(drawing)


def test_a_minted_link_is_no_visit() -> None:
    link = CascadeNode("v0", None, None, 0, rfc3339(START), None, "link", None, 0)
    drawing = draw(cascade([None, 0], v0=link))
    assert drawing.dots[0].title.startswith("Tracked link")
    assert [generation.visits for generation in drawing.generations] == [0, 1]
