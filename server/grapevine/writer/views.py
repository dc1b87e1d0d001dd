"""Further page views of visits that are stored: each counts once."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from grapevine.domain import ids
from grapevine.domain.events import Stored, View, VisitNotFound
from grapevine.writer.guards import first_seen
from grapevine.writer.nonces import GUARD_VIEW
from grapevine.writer.state import BatchState


async def record(state: BatchState) -> None:
    """Counts the views that were not seen before, and adds them to their visits."""
    added: Counter[tuple[int, int, int]] = Counter()
    later: Counter[tuple[int, int, int, int]] = Counter()
    for index, event, _ in await first_seen(state, GUARD_VIEW, _of_stored_visits(state)):
        state.outcomes[index] = Stored()
        row = state.stored[event.site_id, event.visit_id]
        state.deltas.add_view(row, event.at)
        added[row.site_id, row.visit_id, row.cell] += 1
        if event.at // ids.HOUR_MS != row.at // ids.HOUR_MS:
            later[row.site_id, row.visit_id, row.cell, event.at // ids.HOUR_MS] += 1
    await state.transaction.add_views([(*key, added[key]) for key in sorted(added)])
    await state.transaction.add_later_views([(*key, later[key]) for key in sorted(later)])


def _of_stored_visits(state: BatchState) -> Iterator[tuple[int, View, int]]:
    guard_key = state.shared.nonces.guard_key
    for index, event in state.of(View):
        if state.visit_of(event) is None:
            state.outcomes[index] = VisitNotFound()
        else:
            yield index, event, guard_key("view", event.site_id, event.visit_id, event.nonce)
