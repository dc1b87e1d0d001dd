"""What a batch does to conversions: each counts once, whichever visit of the site it is said to belong to.

A conversion's row lives in its visit's cell, but its (goal, id) is one of the whole site, so a guard in a cell of its
own decides who was first. These guards never expire: an order that a shop sends again after a year is the same one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from grapevine.domain import ids
from grapevine.domain.events import Conversion
from grapevine.store.rows import ConversionRow
from grapevine.store.write_batch import Batch

NEVER: Final = (1 << 63) - 1

_Guard = tuple[int, int, int]


class Converting:
    """What one batch says of conversions; of several that are the same the first is taken."""

    def __init__(self, kind: int, key: Callable[..., int]) -> None:
        self._kind = kind
        self._key = key
        self._first: dict[_Guard, tuple[int, Conversion]] = {}

    def add(self, place: int, event: Conversion) -> None:
        """A conversion, which stands at ``place`` in the batch, of a visit that is there."""
        guard = (event.site_id, self._kind, self._key("conversion", event.site_id, event.once))
        self._first.setdefault(guard, (place, event))

    async def write(self, batch: Batch) -> Iterable[tuple[int, Conversion]]:
        """Stores those that were never seen before; answers with them and their places."""
        unseen = await batch.guard([(*guard, ids.hashed_cell(guard[2]), NEVER) for guard in sorted(self._first)])
        rows = [_row(self._first[guard][1], guard[2]) for guard in sorted(unseen)]
        new = await batch.insert_conversions(rows)
        found = ((guard, *self._first[guard]) for guard in unseen)
        return [(place, event) for guard, place, event in found if (event.site_id, event.visit_id, guard[2]) in new]


def _row(event: Conversion, key: int) -> ConversionRow:
    return ConversionRow(
        event.site_id, event.visit_id, ids.cell_of(event.visit_id), event.goal, key, event.external_id, event.at,
        event.value, event.currency,
    )  # fmt: skip
