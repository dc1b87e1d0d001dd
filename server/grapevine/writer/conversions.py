"""Conversions: each counts once, whichever visit of the site it is said to belong to.

A conversion's row lives in its visit's cell, but its (goal, id) is unique in the whole site, so a guard in a cell of
its own decides which was first. These guards never expire: an order that a shop sends again after a year is the same.
"""

from __future__ import annotations

from collections.abc import Iterator

from grapevine.domain import ids
from grapevine.domain.events import Conversion, Stored, VisitNotFound
from grapevine.store.rows import ERASED, ConversionRow
from grapevine.writer.guards import first_seen
from grapevine.writer.name_bounds import GOAL
from grapevine.writer.nonces import GUARD_CONVERSION
from grapevine.writer.state import BatchState


async def record(state: BatchState) -> None:
    """Stores and counts the conversions that were not seen before."""
    unseen = await first_seen(state, GUARD_CONVERSION, _of_stored_visits(state), expires=False)
    new = await state.transaction.insert_conversions([_row(state, event, key) for _, event, key in unseen])
    for index, event, key in unseen:
        if (event.site_id, event.visit_id, key) in new:
            state.outcomes[index] = Stored()
            state.deltas.add_conversion(state.stored[event.site_id, event.visit_id], event.at)


def _of_stored_visits(state: BatchState) -> Iterator[tuple[int, Conversion, int]]:
    guard_key = state.shared.nonces.guard_key
    for index, event in state.of(Conversion):
        row = state.visit_of(event)
        if row is None or row.flags & ERASED:
            state.outcomes[index] = VisitNotFound()
        else:
            yield index, event, guard_key("conversion", event.site_id, event.once)


def _row(state: BatchState, event: Conversion, key: int) -> ConversionRow:
    return ConversionRow(
        site_id=event.site_id,
        visit_id=event.visit_id,
        cell=ids.cell_of(event.visit_id),
        goal=state.name(event.site_id, GOAL, event.goal),
        event_key=key,
        external_id=event.external_id,
        at=event.at,
        value=event.value,
        currency=event.currency,
    )
