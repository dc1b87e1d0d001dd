"""Visits of people who asked not to be followed: counted once, never stored."""

from __future__ import annotations

from grapevine.domain.events import OptedOutVisit, Stored
from grapevine.writer.guards import first_seen
from grapevine.writer.nonces import GUARD_UNLINKED
from grapevine.writer.state import BatchState


async def record(state: BatchState) -> None:
    """Counts the opted-out visits that were not seen before."""
    guard_key = state.shared.nonces.guard_key
    events = (
        (index, event, guard_key("unlinked", event.site_id, event.nonce)) for index, event in state.of(OptedOutVisit)
    )
    for index, event, _ in await first_seen(state, GUARD_UNLINKED, events):
        state.outcomes[index] = Stored()
        page = state.page_id(event.site_id, event.page)
        state.deltas.add_opted_out_visit(event.site_id, event.at, event.source, page, event.device)
