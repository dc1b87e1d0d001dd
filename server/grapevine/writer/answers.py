"""Answers to "how did you hear about us?". They count as nothing else: a visit with a verdict keeps its answer, too."""

from __future__ import annotations

from grapevine.domain import ids
from grapevine.domain.events import Answer, Stored, VisitNotFound
from grapevine.store.rows import ERASED, AnswerRow
from grapevine.writer.state import BatchState


async def record(state: BatchState) -> None:
    """Stores the answers that were not seen before."""
    rows: dict[tuple[int, int, int], tuple[int, AnswerRow]] = {}
    for index, event in state.of(Answer):
        row = state.visit_of(event)
        if event.visit_id and (row is None or row.flags & ERASED):
            state.outcomes[index] = VisitNotFound()
            continue
        state.outcomes[index] = Stored(duplicate=True)
        key = state.shared.nonces.guard_key("answer", event.site_id, event.nonce)
        rows.setdefault((event.site_id, event.visit_id, key), (index, _row(event, key)))
    for new in await state.transaction.insert_answers([rows[key][1] for key in sorted(rows)]):
        state.outcomes[rows[new][0]] = Stored()


def _row(event: Answer, key: int) -> AnswerRow:
    return AnswerRow(
        site_id=event.site_id,
        visit_id=event.visit_id,
        cell=ids.cell_of(event.visit_id) if event.visit_id else ids.hashed_cell(key),
        event_key=key,
        at=event.at,
        text=event.text,
        contact=event.contact,
    )
