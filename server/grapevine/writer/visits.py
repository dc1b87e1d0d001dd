"""Visits: the stored ones that a batch names, the new ones that it inserts, and their counts."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from grapevine.domain import ids
from grapevine.domain.events import (
    Answer,
    Conversion,
    Event,
    OptedOutVisit,
    View,
    VisitEvent,
    VisitNotFound,
    VisitOutcome,
)
from grapevine.domain.visit_evidence import with_decision
from grapevine.store.rows import LOGGED, SAME_NETWORK, VisitRow
from grapevine.writer import click_ids, conversions, returned_to_life, shares
from grapevine.writer.bursts import single_openings
from grapevine.writer.name_bounds import APP
from grapevine.writer.nonces import GUARD_VISITOR
from grapevine.writer.placement import place
from grapevine.writer.state import BatchState

_ATTEMPTS: Final = 8
_SECOND_VIEW: Final = 2


async def load_named(state: BatchState) -> None:
    """Reads the visits that events name, and locks them and their cascades until the transaction ends.

    To every step an erased visit is one that is not there.
    """
    named = dict.fromkeys((*_named_by(state.events), *conversions.replaced_visits(state)))
    state.locked = {(site_id, visit_id) for site_id, visit_id, _ in named}
    held = await state.transaction.held_visits(named)
    state.stored = {key: row for key, row in held.items() if not row.is_erased}
    await returned_to_life.give_back(state)


async def insert(state: BatchState) -> None:
    """Inserts the new visits, each under the first id that is free or its own.

    An id is a hash of the visit's nonce, so a repeated event finds its own row (same ``nonce_check``), and a collision
    finds another visit's row: then the next attempt hashes to another id. The first attempt also inserts the pages and
    reads the shares that the batch touches, in the same round trip.
    """
    pending = state.of(VisitEvent)
    for attempt in range(_ATTEMPTS):
        offered: dict[tuple[int, int], VisitRow] = {}
        claims: list[tuple[int, VisitEvent, VisitRow]] = []
        for index, event in pending:
            row = _row(state, index, event, *state.shared.nonces.identify(event, attempt))
            claims.append((index, event, row))
            offered.setdefault((row.site_id, row.visit_id), row)
        rows = [offered[key] for key in sorted(offered)]
        if attempt:
            new, _ = await state.transaction.insert_visits([], rows, [])
        else:
            touched = shares.touched(state, (*(row for _, _, row in claims), *state.given_back))
            new, state.shares = await state.transaction.insert_visits(state.pages, rows, touched)
        taken = {}
        if len(new) < len(offered):
            keys = [(row.site_id, row.visit_id, row.cell) for key, row in offered.items() if key not in new]
            taken = await state.transaction.visits(keys)
        pending = []
        for index, event, row in claims:
            key = (row.site_id, row.visit_id)
            stored = taken.get(key) or offered[key]
            if stored.nonce_check != row.nonce_check:
                pending.append((index, event))
                continue
            if stored.is_erased:
                state.outcomes[index] = VisitNotFound()
                state.retried_erased.append(event)
                continue
            is_repeated = key not in new or stored is not row
            if not is_repeated:
                state.visits.append(row)
            state.outcomes[index] = _outcome(stored, event, is_repeated=is_repeated)
        if not pending:
            return
    raise RuntimeError(f"no free visit id in {_ATTEMPTS} attempts; is the nonce key what it was?")


async def count(state: BatchState) -> None:
    """Counts the visits of people that are new or given back, and those that are their visitor's first of the day."""
    known, firsts = state.shared.known.visitors, dict[tuple[int, int, int], VisitRow]()
    people = sorted((row for row in (*state.visits, *state.given_back) if row.verdict is None), key=_by_time)
    for row in people:
        if row.visitor is not None:  # a line of a log whose day's salt is gone has none
            key = (row.site_id, ids.day_at(row.at), row.visitor)
            if key not in known:
                firsts.setdefault(key, row)
    new = await state.transaction.guard(
        [
            (site, GUARD_VISITOR, visitor << 16 | day, ids.hashed_cell(visitor), ids.day_start(day + 2))
            for site, day, visitor in sorted(firsts)
        ]
    )
    state.new_keys.visitors.extend(firsts)
    counted = {id(firsts[site, key & 0xFFFF, key >> 16]) for site, _, key in new}
    for row in people:
        state.deltas.add_visit(row, first_of_day=id(row) in counted)


async def note_suspects(state: BatchState) -> None:
    """Stores which visitors open a link again and again, or once with the signs of a program, and whose links one
    network opens; they are judged later."""
    suspicious = single_openings(state.visits) | state.shared.bursts.suspicious(state.visits)
    await state.transaction.verdicts.suspect(
        [(*each, each.cell, due_at) for each, due_at in sorted(suspicious.items())]
    )
    await state.transaction.floods.suspect(sorted(state.shared.floods.suspicious(state.visits).items()))


def _named_by(events: Iterable[Event]) -> Iterable[tuple[int, int, int]]:
    """The (site, visit, cell) that events name: a return's sharer, the visit of a view, a conversion or a share."""
    for event in events:
        if isinstance(event, View | Conversion | Answer):
            if event.visit_id:
                yield event.site_id, event.visit_id, ids.cell_of(event.visit_id)
        elif not isinstance(event, OptedOutVisit) and event.token is not None:
            yield event.site_id, event.token.visit_id, ids.cell_of(event.token.visit_id)


def _row(state: BatchState, index: int, event: VisitEvent, visit_id: int, nonce_check: int) -> VisitRow:
    token = event.token
    source, evidence = click_ids.judged(event, state.copied.get(index))
    placement = place(event, state.stored.get((event.site_id, token.visit_id)) if token else None)
    return VisitRow(
        site_id=event.site_id,
        visit_id=visit_id,
        cell=ids.cell_of(visit_id),
        nonce_check=nonce_check,
        at=event.at,
        next_view=_SECOND_VIEW,
        page_id=state.page_id(event.site_id, event.page),
        source=source if placement.channel is None else placement.source,
        device=event.device,
        app=None if event.app is None else state.name(event.site_id, APP, event.app),
        visitor=event.visitor,
        channel=placement.channel,
        n=placement.n,
        via_id=placement.via_id,
        parent_id=placement.parent_id,
        root_id=placement.root_id,
        depth=placement.depth,
        flags=placement.flags
        | (LOGGED if event.logged else 0)
        | (event.signs if placement.parent_id is not None else 0),
        reason=placement.reason,
        verdict=event.verdict,
        network=None if event.visitor is None else event.network or None,
        evidence=evidence if placement.channel is None else with_decision(evidence, "token"),
    )


def _by_time(row: VisitRow) -> tuple[int, int]:
    return row.at, row.visit_id


def _outcome(row: VisitRow, event: VisitEvent, *, is_repeated: bool) -> VisitOutcome:
    return VisitOutcome(
        visit_id=row.visit_id,
        returned=event.token is not None or event.reason is not None,
        reason=row.reason,
        source=row.source,
        channel=row.channel,
        depth=row.depth,
        is_self=row.is_self,
        same_network=bool(row.flags & SAME_NETWORK),
        duplicate=is_repeated,
    )
