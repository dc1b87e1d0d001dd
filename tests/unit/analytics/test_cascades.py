"""The nodes of a cascade, made from its visits."""

from __future__ import annotations

from grapevine.analytics.cascades import cascade_nodes
from grapevine.domain import enums, ids
from grapevine.store.rows import ERASED
from tests.unit.analytics.cascade_visits import visit


def test_an_erased_visit_keeps_only_its_parent_and_depth() -> None:
    erased = visit(
        5, flags=ERASED, parent_id=ids.pack(2_000, 5, 1), channel=0, n=0, depth=1, source=enums.SOURCES["share"]
    )
    (node,) = cascade_nodes([erased], {1: "https://e.org/"}, {})
    assert (node.at, node.url, node.source, node.device, node.erased) == (None, None, None, None, True)
    assert (node.parent, node.depth) == (ids.visit_text(ids.pack(2_000, 5, 1)), 1)
