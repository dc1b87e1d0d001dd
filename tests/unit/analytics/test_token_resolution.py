"""The nodes of a chain, made from its visits."""

from __future__ import annotations

from grapevine.analytics.token_resolution import chain_nodes
from grapevine.domain.tokens import Tokens
from grapevine.store.rows import ASIDE
from tests.unit.analytics.cascade_visits import visit

TOKENS = Tokens([b"secret"], b"salt")


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
