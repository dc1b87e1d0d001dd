"""Where a visit that came with a good token hangs in its cascade."""

from __future__ import annotations

from typing import NamedTuple

from grapevine.domain.events import VisitEvent
from grapevine.store.rows import ASIDE, SAME_NETWORK, VisitRow


class Placement(NamedTuple):
    """The visit that it hangs on, the sharer where that is another one, its depth, and what its row is marked with."""

    parent_id: int
    via_id: int | None
    depth: int
    flags: int


def place(event: VisitEvent, sharer: VisitRow) -> Placement:
    """On the sharer's visit; where that stands aside on the nearest ancestor that does not, reached via the sharer."""
    parent_id, via_id = sharer.visit_id, None
    if sharer.is_aside and sharer.parent_id is not None:
        parent_id, via_id = sharer.parent_id, sharer.visit_id
    same_network = sharer.visitor is not None and sharer.visitor in (event.visitor, event.visitor_before)
    aside = event.own or event.verdict is not None
    flags = (ASIDE if aside else 0) | (SAME_NETWORK if same_network else 0)
    return Placement(parent_id, via_id, sharer.depth if aside else sharer.depth + 1, flags)
