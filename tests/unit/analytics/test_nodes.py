"""The nodes of chains and cascades, made from visits with corners."""

from __future__ import annotations

from grapevine.analytics.cascades import cascade_nodes
from grapevine.analytics.token_resolution import chain_nodes
from grapevine.domain import enums, ids
from grapevine.domain.tokens import Tokens
from grapevine.store.rows import ASIDE, ERASED, CascadeVisit

TOKENS = Tokens([b"secret"], b"salt")


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
    found = chain_nodes([root, self_return, through_root, through_self], {1: "https://e.org/"}, TOKENS)
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
    (node,) = cascade_nodes([erased], {1: "https://e.org/"}, {})
    assert (node.at, node.url, node.source, node.device, node.erased) == (None, None, None, None, True)
    assert (node.parent, node.depth) == (ids.visit_text(ids.pack(2_000, 5, 1)), 1)
