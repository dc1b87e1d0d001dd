"""Visits of a cascade, as the store returns them."""

from __future__ import annotations

from grapevine.domain import ids
from grapevine.store.rows import CascadeVisit


def visit(number: int, **changes: int | None) -> CascadeVisit:
    """A first visit, with ``changes`` of its fields."""
    usual: dict[str, int | None] = {
        "visit_id": ids.pack(2_000, 5, number), "at": ids.day_start(2_000), "page_id": 1, "source": 0, "channel": None,
        "n": None, "via_id": None, "parent_id": None, "depth": 0, "flags": 0,
        "verdict": None, "device": 0,
    }  # fmt: skip
    return CascadeVisit(**(usual | changes))  # type: ignore[arg-type]
