"""Unfurls: a messenger's robot fetched a shared link for a link preview; counted once per share, app and hour."""

from __future__ import annotations

from typing import Final

from grapevine.domain import ids
from grapevine.domain.events import Stored, Unfurl, VisitNotFound
from grapevine.store.rows import ShareKey
from grapevine.writer.state import BatchState, share_key

_REPEAT: Final = Stored(duplicate=True)


async def record(state: BatchState) -> None:
    """Stores the unfurls of stored visits' shares, and counts those that are new."""
    rows: dict[tuple[ShareKey, str, int], tuple[int, int]] = {}
    for index, event in state.of(Unfurl):
        if (event.site_id, event.token.visit_id) not in state.stored:
            state.outcomes[index] = VisitNotFound()
            continue
        key = share_key(event.site_id, event.token), event.app, event.at // ids.HOUR_MS
        rows.setdefault(key, (index, event.at))
        state.outcomes[index] = _REPEAT
    new = await state.transaction.insert_unfurls(
        [(*key.plain(), app, hour, at) for (key, app, hour), (_, at) in rows.items()]
    )
    for share, app, hour in new:
        index, at = rows[share, app, hour]
        state.outcomes[index] = Stored()
        state.deltas.add_unfurl(share.site_id, app, at)
