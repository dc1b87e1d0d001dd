"""Unfurls: a messenger's robot fetched a shared link for a link preview; counted once per share, app and hour."""

from __future__ import annotations

from grapevine.domain import ids
from grapevine.domain.events import Unfurl, VisitNotFound
from grapevine.store.rows import ShareKey
from grapevine.writer.state import BatchState, share_key


async def record(state: BatchState) -> None:
    """Stores the unfurls of stored visits' shares, and counts those that are new."""
    rows: dict[tuple[ShareKey, str, int], int] = {}
    for index, event in state.of(Unfurl):
        if (event.site_id, event.token.visit_id) not in state.stored:
            state.outcomes[index] = VisitNotFound()
            continue
        rows[share_key(event.site_id, event.token), event.app, event.at // ids.HOUR_MS] = event.at
    new = await state.transaction.insert_unfurls(
        [(*key.plain(), app, hour, at) for (key, app, hour), at in rows.items()]
    )
    for site_id, app, at in new:
        state.deltas.add_unfurl(site_id, app, at)
