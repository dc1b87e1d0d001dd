"""Refunds: each takes back part of one conversion, never more than was paid, and counts as none itself.

A refund goes to the visit of what it takes back, whose guard names it, and that visit is locked before anything is
decided: of two refunds at once, the second sees what the first one left. Its row has the other's goal and reporter, so
that wherever a value counts, what was taken back of it counts too. When a key reports what a page had reported before,
the refunds of that move with it (``conversions.record``).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

import msgspec

from grapevine.domain import ids
from grapevine.domain.enums import CONVERSION_REPORTERS
from grapevine.domain.events import REFUND_AHEAD_MS, Conversion, RefundRefused, Stored
from grapevine.errors import Interrupted
from grapevine.store.rows import ConversionRow
from grapevine.store.write_batch import ConversionGuard, Refundable
from grapevine.writer.nonces import GUARD_CONVERSION
from grapevine.writer.state import BatchState

_NEVER: Final = (1 << 63) - 1
_PAGE: Final = CONVERSION_REPORTERS["page"]
_KEY: Final = CONVERSION_REPORTERS["key"]

Guard = tuple[int, int, int, int]
"""The key of a conversion's guard: site, kind, key, cell."""


class _Refund(NamedTuple):
    """A refund of the batch: ``position`` is the event's index, ``own`` and ``target`` the keys of its guard and of
    that of what it takes back."""

    position: int
    event: Conversion
    own: int
    target: int

    def guard(self, key: int) -> Guard:
        return self.event.site_id, GUARD_CONVERSION, key, ids.hashed_cell(key)


class _Decided(NamedTuple):
    """A refund that fits: the row to be stored, and the visit that has the row of a page under its id, if any."""

    refund: _Refund
    row: ConversionRow
    page: ConversionGuard | None


def of_batch(state: BatchState) -> Iterator[_Refund]:
    """Yields the refunds of a batch."""
    guard_key = state.shared.nonces.guard_key
    for index, event in state.of(Conversion):
        if event.refunds is not None:
            yield _Refund(
                index,
                event,
                guard_key("conversion", event.site_id, event.once),
                guard_key("conversion", event.site_id, event.refunds),
            )


def guards_of(state: BatchState) -> Iterator[Guard]:
    """Yields the guards of what is to be refunded."""
    for each in of_batch(state):
        yield each.guard(each.target)


def refunded_visits(state: BatchState) -> Iterator[tuple[int, int, int]]:
    """Yields the (site, visit, cell) of the visits whose conversions are to be refunded, to be locked."""
    for each in of_batch(state):
        guard = state.conversion_guards.get((each.event.site_id, each.target))
        if guard is not None and guard.visit_id is not None:
            yield each.event.site_id, guard.visit_id, ids.cell_of(guard.visit_id)


async def record(state: BatchState) -> None:
    """Stores the refunds of a batch that were not seen before and fit. Follows its conversions, which they may take
    back."""
    refunds = list(of_batch(state))
    if not refunds:
        return
    # Read again: other batches were committed before this one got its locks, and it has changed guards itself.
    keys = {each.guard(key) for each in refunds for key in (each.own, each.target)}
    guards = await state.transaction.conversion_guards(sorted(keys))
    wanted = [each for each in refunds if not _is_known(state, each, guards)]
    found = await _targets(state, wanted, guards)
    decided = list(_decide(state, wanted, guards, found))
    await _claim(state, decided)
    new = await state.transaction.insert_conversions([each.row for each in decided])
    for each in decided:
        if (each.row.site_id, each.row.visit_id, each.row.event_key) in new:
            state.outcomes[each.refund.position] = Stored()
            state.conversion_rows[each.refund.position] = each.row
    refunded = {(row.site_id, row.visit_id, row.cell, row.refunded_key or 0) for _, row, _ in decided}
    if refunded:
        await state.transaction.receipts.revoke_conversions(
            sorted(refunded), state.shared.subscriptions.clock(), "refund"
        )


async def move(state: BatchState, old: tuple[int, int, int], row: ConversionRow) -> None:
    """Moves the refunds of the conversion ``old`` (site, visit, key) to the row that has replaced it."""
    moved = await state.transaction.take_refunds(*old)
    rows = [
        msgspec.structs.replace(each, visit_id=row.visit_id, cell=row.cell, goal=row.goal, reported_by=row.reported_by)
        for each in moved
    ]
    await state.transaction.insert_conversions(rows)
    await state.transaction.move_conversion_guards(
        [
            (each.site_id, GUARD_CONVERSION, each.event_key, ids.hashed_cell(each.event_key), each.visit_id)
            for each in sorted(rows, key=lambda each: each.event_key)
        ]
    )


def excess(refundable: Refundable | None, event: Conversion) -> RefundRefused | None:
    """Returns why a key's report cannot replace that of a page: more was refunded than it says was paid, or in another
    currency. None where it can."""
    if refundable is None or not refundable.refunded:
        return None
    if event.value is not None and event.currency != refundable.currency:
        return RefundRefused("refunded-currency", refundable.refunded, refundable.currency)
    if event.value is None or event.value + refundable.refunded < 0:
        return RefundRefused("refunded", refundable.refunded, refundable.currency)
    return None


def _is_known(state: BatchState, refund: _Refund, guards: dict[tuple[int, int], ConversionGuard]) -> bool:
    """Returns whether a refund was reported with a key before; sets its outcome then. A page's report under its id is
    none: that is anybody's word."""
    guard = guards.get((refund.event.site_id, refund.own))
    if guard is None or guard.reported_by == _PAGE:
        return False
    state.outcomes[refund.position] = Stored(duplicate=True)
    return True


async def _targets(
    state: BatchState, refunds: Sequence[_Refund], guards: dict[tuple[int, int], ConversionGuard]
) -> dict[tuple[int, int], Refundable]:
    """Returns what is to be refunded, by (site, key). Raises Interrupted where its visit is not locked."""
    keys = set()
    for each in refunds:
        guard = guards.get((each.event.site_id, each.target))
        if guard is None or guard.visit_id is None:
            continue
        if (each.event.site_id, guard.visit_id) in state.stored:
            keys.add((each.event.site_id, guard.visit_id, ids.cell_of(guard.visit_id), each.target))
        elif guard != state.conversion_guards.get((each.event.site_id, each.target)):
            raise Interrupted("a conversion got another visit in the moment of its refund; once more")
    return await state.transaction.refundable(sorted(keys))


def _decide(
    state: BatchState,
    refunds: Iterable[_Refund],
    guards: dict[tuple[int, int], ConversionGuard],
    found: dict[tuple[int, int], Refundable],
) -> Iterator[_Decided]:
    """Yields the refunds that fit, by their position in the batch. Sets the outcomes of the others."""
    left = {key: target.left for key, target in found.items()}
    seen = set[tuple[int, int]]()
    for each in refunds:
        event, site_id = each.event, each.event.site_id
        state.outcomes[each.position] = Stored(duplicate=True)
        if (site_id, each.own) in seen:
            continue
        target = found.get((site_id, each.target))
        refusal = _refusal(event, target, left.get((site_id, each.target), 0))
        if refusal is None and (target is None or event.value is None):
            refusal = RefundRefused("gone" if (site_id, each.target) in guards else "unknown")
        if refusal is not None or target is None:
            state.outcomes[each.position] = refusal or RefundRefused("unknown")
            continue
        seen.add((site_id, each.own))
        left[site_id, each.target] += event.value or 0
        yield _Decided(each, _row(each, target), guards.get((site_id, each.own)))


def _refusal(event: Conversion, target: Refundable | None, left: int) -> RefundRefused | None:
    if target is None:
        return None
    if target.is_refund:
        return RefundRefused("refund")
    if target.paid is None:
        return RefundRefused("no-value")
    if event.currency != target.currency:
        return RefundRefused("currency", left, target.currency)
    if left + (event.value or 0) < 0:
        return RefundRefused("too-much", left, target.currency)
    if event.at < target.at - REFUND_AHEAD_MS:
        return RefundRefused("early")
    return None


def _row(refund: _Refund, target: Refundable) -> ConversionRow:
    event = refund.event
    return ConversionRow(
        site_id=event.site_id,
        visit_id=target.visit_id,
        cell=ids.cell_of(target.visit_id),
        goal=target.goal,
        event_key=refund.own,
        external_id=event.external_id,
        at=event.at,
        value=event.value,
        currency=event.currency,
        reported_by=target.reported_by,
        refund_of=event.refund_of,
        refunded_key=refund.target,
    )


async def _claim(state: BatchState, decided: Sequence[_Decided]) -> None:
    """Guards the refunds, and takes out what pages had reported under their ids. Raises Interrupted where another
    process was faster."""
    by_key = sorted(decided, key=lambda each: (each.row.site_id, each.row.event_key))
    fresh = [each for each in by_key if each.page is None]
    taken = [each for each in by_key if each.page is not None]
    for each in taken:
        before = each.page and each.page.visit_id
        if before is not None and (each.row.site_id, before) not in state.locked:
            raise Interrupted("a page reported the id of a refund in the same moment; once more")
    claimed = await state.transaction.guard_conversions(
        [(*each.refund.guard(each.refund.own), _NEVER, _KEY, each.row.visit_id) for each in fresh]
    )
    replaced = await state.transaction.replace_conversion_guards(
        [(*each.refund.guard(each.refund.own), each.row.visit_id, each.page and each.page.visit_id) for each in taken]
    )
    if len(claimed) + len(replaced) < len(decided):
        raise Interrupted("two processes reported a refund in the same moment; once more")
    for each in taken:
        if each.page is not None and each.page.visit_id is not None:
            await take_out(state, each.row.site_id, each.page.visit_id, each.row.event_key)


async def take_out(state: BatchState, site_id: int, visit_id: int, key: int) -> None:
    """Deletes the row of a page's report that another one replaces, and takes it out of the counts of its visit."""
    at = await state.transaction.delete_conversion(site_id, visit_id, key)
    conversion = (site_id, visit_id, ids.cell_of(visit_id), key)
    await state.transaction.receipts.revoke_conversions([conversion], state.shared.subscriptions.clock(), "replaced")
    visit = state.stored.get((site_id, visit_id))
    if at is not None and visit is not None:
        state.deltas.add_conversion(visit, at, by=-1)
