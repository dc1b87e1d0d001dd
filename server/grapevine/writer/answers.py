"""Answers to "how did you hear about us?". They count as nothing else: a visit with a verdict keeps its answer, too."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import Final

from grapevine.domain import ids
from grapevine.domain.enums import CONVERSION_REPORTERS
from grapevine.domain.events import Answer, BoundExceeded, Stored, VisitNotFound
from grapevine.store.answer_rows import AnswerRow
from grapevine.writer.name_bounds import ANSWER, BoundKey
from grapevine.writer.state import BatchState

MOST_BY_KEYS: Final = 10_000
"""Answers of a site's day that keys may report: a seller has some dozen calls, and a leaked key fills no disk.
They take nothing of what visitors may write."""

_BY_PAGE, _BY_KEY = CONVERSION_REPORTERS["page"], CONVERSION_REPORTERS["key"]

AnswerKey = tuple[int, int, int]
"""An answer as (site, visit, key)."""


async def record(state: BatchState) -> None:
    """Stores the answers that were not seen before."""
    rows: dict[AnswerKey, tuple[int, AnswerRow]] = {}
    networks: dict[AnswerKey, int] = {}
    for index, event in state.of(Answer):
        row = state.visit_of(event)
        if event.visit_id and row is None:
            state.outcomes[index] = VisitNotFound()
            continue
        state.outcomes[index] = Stored(duplicate=True)
        key = state.shared.nonces.guard_key("answer", event.site_id, event.nonce)
        rows.setdefault((event.site_id, event.visit_id, key), (index, row_of(event, key)))
        networks.setdefault((event.site_id, event.visit_id, key), event.network)
    if rows:
        await _refuse_excess(state, rows, networks)
    for new in await state.transaction.insert_answers([rows[key][1] for key in sorted(rows)]):
        state.outcomes[rows[new][0]] = Stored()


async def _refuse_excess(
    state: BatchState, rows: dict[AnswerKey, tuple[int, AnswerRow]], networks: Mapping[AnswerKey, int]
) -> None:
    """Removes from ``rows`` the new answers that exceed the bound of their day, and sets their outcomes."""
    stored = await state.transaction.known_answers(
        [(row.site_id, row.visit_id, row.cell, row.event_key) for _, row in rows.values()]
    )
    by_bound: dict[BoundKey, dict[AnswerKey, int]] = {}
    by_key: dict[BoundKey, list[AnswerKey]] = {}
    for key, (_, row) in rows.items():
        if key not in stored:
            bound = BoundKey(ANSWER, row.site_id, ids.day_at(row.at))
            if row.reported_by == _BY_KEY:
                by_key.setdefault(bound, []).append(key)
            else:
                by_bound.setdefault(bound, {})[key] = networks[key]
    excess = set[AnswerKey]()
    for bound, new in by_bound.items():
        count = partial(_stored, state, bound, _BY_PAGE)
        excess |= await state.shared.bounds.exceeding(bound, new, count, state.new_keys.taken)
    for bound, told in by_key.items():
        free = MOST_BY_KEYS - await _stored(state, bound, _BY_KEY)
        excess.update(told[max(0, free) :])
    for key in excess:
        index, row = rows.pop(key)
        left = ids.day_start(ids.day_at(row.at) + 1) - row.at
        state.outcomes[index] = BoundExceeded(seconds=-(-left // 1000))
        state.deltas.add_bound_hit(row.site_id, ANSWER, row.at)


async def _stored(state: BatchState, bound: BoundKey, reported_by: int) -> int:
    """Returns how many answers of the day are stored."""
    start, end = ids.day_start(bound.day), ids.day_start(bound.day + 1)
    return await state.transaction.answers_between(bound.site_id, start, end, reported_by)


def row_of(event: Answer, key: int) -> AnswerRow:
    """Returns the row of an answer with this key."""
    return AnswerRow(
        site_id=event.site_id,
        visit_id=event.visit_id,
        cell=ids.cell_of(event.visit_id) if event.visit_id else ids.hashed_cell(key),
        event_key=key,
        at=event.at,
        text=event.text,
        contact=event.contact,
        class_=event.class_,
        channel=event.channel,
        rules=event.rules,
        reported_by=event.reported_by,
    )
