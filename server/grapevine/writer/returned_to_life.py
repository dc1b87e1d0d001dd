"""Visits that a verdict took out after a single opening, and that show life: they count again, before all else.

A person may read for an hour before they turn the page. The first event of such a visit takes its verdict back in its
own batch: the row is as it was, and goes through the steps of new visits, which count it, open its share and put it
into its cascade. So nothing has to be computed that arrival does not compute, and children of the visit hang on it.

Only within ``_AT_MOST_MS`` of the visit, while the guard that counts its visitor once a day is still there, and only
while the sharer's visit is stored.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from msgspec.structs import replace

from grapevine.domain import ids
from grapevine.domain.events import Answer, Conversion, ShareReport, View, VisitEvent
from grapevine.store.rows import ASIDE, OPENED_ONCE, VisitRow
from grapevine.writer.state import BatchState

_AT_MOST_MS: Final = 24 * ids.HOUR_MS


async def give_back(state: BatchState) -> None:
    """Takes back the verdicts on stored visits that an event of the batch shows to be people's."""
    doubtful = {key: row for key, row in state.stored.items() if row.flags & OPENED_ONCE and row.verdict is not None}
    if not doubtful:
        return
    alive = [
        doubtful[key] for key, at in _signs_of_life(state) if key in doubtful and at - doubtful[key].at < _AT_MOST_MS
    ]
    by_key = {(row.site_id, row.visit_id): row for row in alive}
    sharers = {(key.site_id, key.visit_id, key.cell) for row in by_key.values() if (key := row.opened)}
    held = await state.transaction.held_visits(sorted(sharers))
    given_back: list[VisitRow] = []
    for row in by_key.values():
        opened = row.opened
        sharer = None if opened is None else held.get((opened.site_id, opened.visit_id))
        if sharer is None or sharer.is_erased:
            continue
        state.stored.setdefault((sharer.site_id, sharer.visit_id), sharer)
        state.locked.add((sharer.site_id, sharer.visit_id))
        given_back.append(replace(row, verdict=None, flags=row.flags & ~(ASIDE | OPENED_ONCE), depth=row.depth + 1))
    await state.transaction.verdicts.take_back(given_back)
    state.given_back = given_back
    state.stored |= {(row.site_id, row.visit_id): row for row in given_back}


def _signs_of_life(state: BatchState) -> Iterator[tuple[tuple[int, int], int]]:
    """Yields the visits in which something happened, by (site, visit), and when."""
    for event in state.events:
        if isinstance(event, View | Conversion | Answer):
            yield (event.site_id, event.visit_id), event.at
        elif isinstance(event, ShareReport | VisitEvent) and event.token is not None:
            yield (event.site_id, event.token.visit_id), event.at
