"""Conversions: each counts once, whichever visit of the site it is said to belong to, and a key goes before a page.

A conversion's row lives in its visit's cell, but its (goal, id) is unique in the whole site, so a guard in a cell of
its own decides which was first. These guards never expire: an order that a shop sends again after a year is the same.
Once their visit is past retention they name none, and nothing replaces what they stand for.

A page's word is anybody's: order numbers can be guessed and claimed before the shop reports them. So a conversion that
is reported with a key replaces one of the same (goal, id) that a page reported, and never the other way round. Guard,
old row, new row and counts change in one transaction, so a crash leaves either all of the old or all of the new.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from grapevine.domain import ids
from grapevine.domain.enums import CONVERSION_REPORTERS
from grapevine.domain.events import Conversion, Stored, VisitBoundExceeded, VisitNotFound
from grapevine.errors import Interrupted
from grapevine.store.rows import ConversionRow
from grapevine.writer import refunds
from grapevine.writer.name_bounds import GOAL
from grapevine.writer.nonces import GUARD_CONVERSION
from grapevine.writer.state import BatchState

MOST_BY_PAGES: Final = 50
"""A page may report so many conversions of one visit. A person reaches a handful of goals; more are made up.
Conversions with a key are not bounded, and leave room for the page's."""

NEVER: Final = (1 << 63) - 1
"""The expiry of a guard that stays for ever."""

_PAGE: Final = CONVERSION_REPORTERS["page"]
_KEY: Final = CONVERSION_REPORTERS["key"]


class _Candidate(NamedTuple):
    """A conversion that is not known to be a repeat; ``visit_before`` has the row that it replaces.

    ``position`` is the event's index in the batch.
    """

    position: int
    event: Conversion
    guard_key: int
    visit_before: int | None = None

    @property
    def site_and_key(self) -> tuple[int, int]:
        return self.event.site_id, self.guard_key

    @property
    def guard(self) -> tuple[int, int, int, int]:
        return self.event.site_id, GUARD_CONVERSION, self.guard_key, ids.hashed_cell(self.guard_key)


async def load_guards(state: BatchState) -> None:
    """Reads the guards of the batch's conversions. This takes no lock: ``record`` checks that they still hold."""
    keys = {_guard(event.site_id, key) for _, event, key in _with_keys(state)}
    keys.update(refunds.guards_of(state))
    state.conversion_guards = await state.transaction.conversion_guards(sorted(keys))


def replaced_visits(state: BatchState) -> Iterator[tuple[int, int, int]]:
    """The (site, visit, cell) of the visits that lose a conversion to one that is reported with a key, and of those
    whose conversions are refunded."""
    yield from refunds.refunded_visits(state)
    for _, event, key in _with_keys(state):
        visit_id = _visit_before(state, event, key)
        if visit_id is not None:
            yield event.site_id, visit_id, ids.cell_of(visit_id)


async def record(state: BatchState) -> None:
    """Stores and counts the conversions that were not seen before, and those with a key that replace a page's; then the
    refunds."""
    await _record_paid(state)
    await refunds.record(state)


async def _record_paid(state: BatchState) -> None:
    fresh, replacing = _candidates(state)
    fresh = await _within_bound(state, fresh)
    claimed = await state.transaction.guard_conversions(
        [(*each.guard, NEVER, each.event.reported_by, each.event.visit_id) for each in fresh]
    )
    await _check_lost(state, [each for each in fresh if each.site_and_key not in claimed])
    replacing = await _without_excess(state, replacing)
    # Where this finds another state than `load_guards`, a report with a key has come between: this one is a repeat.
    replaced = await state.transaction.replace_conversion_guards(
        [(*each.guard, each.event.visit_id, each.visit_before) for each in replacing]
    )
    replacing = [each for each in replacing if each.site_and_key in replaced]
    for each in replacing:
        await refunds.take_out(state, each.event.site_id, each.visit_before or 0, each.guard_key)
    await _insert(state, [*(each for each in fresh if each.site_and_key in claimed), *replacing])
    for each in replacing:
        old = each.event.site_id, each.visit_before or 0, each.guard_key
        await refunds.move(state, old, row_of(state, each.event, each.guard_key))


def _with_keys(state: BatchState) -> Iterator[tuple[int, Conversion, int]]:
    guard_key = state.shared.nonces.guard_key
    for index, event in state.of(Conversion):
        yield index, event, guard_key("conversion", event.site_id, event.once)


def _guard(site_id: int, key: int) -> tuple[int, int, int, int]:
    return site_id, GUARD_CONVERSION, key, ids.hashed_cell(key)


def _visit_before(state: BatchState, event: Conversion, key: int) -> int | None:
    """Returns the visit whose row the conversion replaces; None where it replaces none."""
    guard = state.conversion_guards.get((event.site_id, key))
    if guard is None or event.reported_by != _KEY or guard.reported_by != _PAGE:
        return None
    return guard.visit_id


def _candidates(state: BatchState) -> tuple[list[_Candidate], list[_Candidate]]:
    """Returns the new conversions and the replacing ones, by guard. Sets the outcomes of all others.

    Of several of one (goal, id) in the batch the first with a key is taken, or else the first.
    """
    first: dict[tuple[int, int], _Candidate] = {}
    for index, event, key in _with_keys(state):
        if event.refunds is not None:
            continue
        row = state.visit_of(event)
        if row is None:
            # Of an order that is sent again after its visit was deleted, the guard is left.
            is_repeat = (event.site_id, key) in state.conversion_guards
            state.outcomes[index] = Stored(duplicate=True) if is_repeat else VisitNotFound()
            continue
        state.outcomes[index] = Stored(duplicate=True)
        found = _Candidate(index, event, key, _visit_before(state, event, key))
        other = first.setdefault(found.site_and_key, found)
        if other.event.reported_by < event.reported_by:
            first[found.site_and_key] = found
    order = [first[key] for key in sorted(first)]
    new = [each for each in order if each.site_and_key not in state.conversion_guards]
    return new, [each for each in order if each.visit_before is not None]


async def _within_bound(state: BatchState, candidates: Sequence[_Candidate]) -> list[_Candidate]:
    """Returns the candidates but those with which a visit would exceed MOST_BY_PAGES; sets their outcomes.

    The visits are locked, so no other process adds to the number meanwhile.
    """
    visits = {(each.event.site_id, each.event.visit_id) for each in candidates if each.event.reported_by == _PAGE}
    stored = await state.transaction.conversions_by_pages(
        [(site_id, visit_id, ids.cell_of(visit_id)) for site_id, visit_id in sorted(visits)]
    )
    numbers, kept = Counter(stored), set[int]()
    for each in sorted(candidates):  # by position: the earlier event is admitted
        visit = each.event.site_id, each.event.visit_id
        if each.event.reported_by == _PAGE:
            if numbers[visit] >= MOST_BY_PAGES:
                state.outcomes[each.position] = VisitBoundExceeded()
                continue
            numbers[visit] += 1
        kept.add(each.position)
    return [each for each in candidates if each.position in kept]


async def _check_lost(state: BatchState, lost: Sequence[_Candidate]) -> None:
    """Raises Interrupted where another process's page has claimed, since ``load_guards``, what a key reports here.

    The visit that it claimed it for is not locked; the retry knows it from the start.
    """
    keyed = [each.guard for each in lost if each.event.reported_by == _KEY]
    guards = await state.transaction.conversion_guards(keyed)
    if any(guard.reported_by == _PAGE for guard in guards.values()):
        raise Interrupted("a page reported a conversion in the same moment as a key; once more")


async def _without_excess(state: BatchState, replacing: Sequence[_Candidate]) -> list[_Candidate]:
    """Returns the candidates but those that say less was paid than was refunded; sets their outcomes.

    The visits that they take a conversion from are locked, so no refund comes meanwhile.
    """
    if not replacing:
        return []
    found = await state.transaction.refundable(
        sorted(
            (each.event.site_id, visit_id, ids.cell_of(visit_id), each.guard_key)
            for each in replacing
            if (visit_id := each.visit_before) is not None
        )
    )
    kept = []
    for each in replacing:
        refusal = refunds.excess(found.get(each.site_and_key), each.event)
        if refusal is None:
            kept.append(each)
        else:
            state.outcomes[each.position] = refusal
    return kept


async def _insert(state: BatchState, candidates: Iterable[_Candidate]) -> None:
    rows = {each.guard_key: (each.position, row_of(state, each.event, each.guard_key)) for each in candidates}
    for site_id, visit_id, key in await state.transaction.insert_conversions([row for _, row in rows.values()]):
        index, row = rows[key]
        state.outcomes[index] = Stored()
        state.conversion_rows[index] = row
        state.deltas.add_conversion(state.stored[site_id, visit_id], row.at)


def row_of(state: BatchState, event: Conversion, key: int) -> ConversionRow:
    """Returns the row of a conversion whose guard has this key."""
    return ConversionRow(
        site_id=event.site_id,
        visit_id=event.visit_id,
        cell=ids.cell_of(event.visit_id),
        goal=state.name(event.site_id, GOAL, event.goal),
        event_key=key,
        external_id=event.external_id,
        at=event.at,
        value=event.value,
        currency=event.currency,
        reported_by=event.reported_by,
    )
