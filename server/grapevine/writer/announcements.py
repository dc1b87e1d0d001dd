"""Announces what a batch stores of sites that somebody watches (docs/live.md).

An announcement says which rows were stored, in the transaction that stores them; readers read the rows themselves.
While nobody watches, a batch looks whether a set is empty, and that is all."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from typing import Final

from grapevine.store.repositories.live import CONVERSION, SHARE, VISIT, LiveBatch, LiveEvent
from grapevine.writer.state import BatchState

MOST_EVENTS: Final = 250
"""Events of one announcement; a larger batch makes several."""


async def announce(state: BatchState) -> None:
    """Announces what the batch stored of watched sites."""
    announcer = state.shared.announcer
    events: dict[int, list[LiveEvent]] = {}
    for site_id, event in _stored(state):
        if site_id in announcer.watched:
            events.setdefault(site_id, []).append(event)
    batches = []
    for site_id, some in sorted(events.items()):
        for start in range(0, len(some), MOST_EVENTS):
            lane, number = announcer.next(state.offset)
            batches.append((site_id, LiveBatch(lane, number, tuple(some[start : start + MOST_EVENTS]))))
    if batches:
        await state.transaction.live.announce(batches)
        state.transaction.when_committed(partial(announcer.on_announced, frozenset(events)))


def _stored(state: BatchState) -> Iterator[tuple[int, LiveEvent]]:
    """Yields what is new in the store, with its site: people's visits, shares at their first sight, conversions
    and refunds."""
    for visit in state.visits:
        if visit.verdict is None:
            yield visit.site_id, LiveEvent(VISIT, visit.visit_id)
    for share in state.share_rows:
        before = state.shares.get(share.key)
        if share.first_at is not None and (before is None or before.first_at is None):
            yield share.site_id, LiveEvent(SHARE, share.visit_id, (share.channel, share.n))
    for _, row in sorted(state.conversion_rows.items()):
        yield row.site_id, LiveEvent(CONVERSION, row.visit_id, (row.event_key,))
