"""Guards: rows that let each event count once, however often it is sent."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, TypeVar

from grapevine.domain import ids
from grapevine.domain.events import Click, OptedOutVisit, Stored, View
from grapevine.writer.state import BatchState

NONCE_REMEMBERED_MS: Final = 10 * 60_000
"""Longer than any client retries."""

E = TypeVar("E", bound=View | OptedOutVisit | Click)


async def first_seen(state: BatchState, kind: int, events: Iterable[tuple[int, E, int]]) -> list[tuple[int, E, int]]:
    """Returns those of ``events`` (index, event, guard key) that neither the store nor the batch has seen before.

    Sets the outcome of all of them to a duplicate; the caller sets that of the new ones. Guards expire
    ``NONCE_REMEMBERED_MS`` after their event.
    """
    first: dict[tuple[int, int, int], tuple[int, E]] = {}
    for index, event, key in events:
        state.outcomes[index] = Stored(duplicate=True)
        first.setdefault((event.site_id, kind, key), (index, event))
    rows = [
        (*guard, ids.hashed_cell(guard[2]), event.at + NONCE_REMEMBERED_MS)
        for guard, (_, event) in sorted(first.items())
    ]
    return [(*first[guard], guard[2]) for guard in sorted(await state.transaction.guard(rows))]
