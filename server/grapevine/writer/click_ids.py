"""Click ids: which visit of a batch comes with one at its first sight, and which with one that somebody passed on.

A click id is kept as a keyed hash under the salt of the day, until that salt is destroyed. One that a visit brings is
looked for under the salts of its day and of the day before; where neither is stored it is at its first sight, and takes
a guard. Two batches that bring the same one agree on who was first: the insertion of the later one waits for the
commit of the other.
"""

from __future__ import annotations

from typing import Final

from grapevine.domain import ids
from grapevine.domain.events import ArrivingClick, ClickSight, VisitEvent
from grapevine.domain.visit_evidence import COPIED_ADDRESS, DECIDED, with_decision
from grapevine.writer.name_bounds import CLICK_ID, BoundKey
from grapevine.writer.nonces import GUARD_CLICK_ID
from grapevine.writer.state import BatchState

_DAYS_KEPT: Final = 2
"""A guard is kept as long as the salt of its day, until the end of the next one."""


async def judge(state: BatchState) -> None:
    """Decides for each visit with a click id whether its visitor was the first with it."""
    arrivals = [(index, event, event.click) for index, event in state.of(VisitEvent) if event.click is not None]
    if not arrivals:
        return
    holders = await state.transaction.click_guards(
        sorted({_guard(event.site_id, sight) for _, event, click in arrivals for sight in _sights(click)})
    )
    new = {
        (event.site_id, click.sight.key): (event, click.sight)
        for _, event, click in reversed(arrivals)
        if not any((event.site_id, sight.key) in holders for sight in _sights(click))
    }
    if new:
        holders |= await _take(state, new)
    for index, event, click in arrivals:
        found = [(holders.get((event.site_id, sight.key)), sight.holder) for sight in reversed(_sights(click))]
        first = next(((holder, own) for holder, own in found if holder is not None), None)
        if first is not None:
            state.copied[index] = first[0] != first[1]


def judged(event: VisitEvent, copied: bool | None) -> tuple[int, int]:
    """Returns the source and the evidence of a visit whose token leads nowhere, or that has none.

    ``copied`` says whether another visitor had come with its click id before, None where that is not known.
    """
    if event.click is None or copied is None:
        return event.source, event.evidence
    if copied:
        return event.source, event.evidence | COPIED_ADDRESS
    if event.evidence & DECIDED:
        return event.source, event.evidence
    return event.click.source, with_decision(event.evidence, "click-id")


async def _take(
    state: BatchState, new: dict[tuple[int, int], tuple[VisitEvent, ClickSight]]
) -> dict[tuple[int, int], int]:
    """Stores click ids within the bound of the day. Returns the holders of those that are stored now, by (site, key);
    of one that another process stored first, that one's."""
    by_bound: dict[BoundKey, dict[tuple[int, int], int]] = {}
    for key, (event, _) in new.items():
        bound = BoundKey(CLICK_ID, event.site_id, ids.day_at(event.at))
        by_bound.setdefault(bound, {})[key] = event.network
    excess = set[tuple[int, int]]()
    for bound, wanted in by_bound.items():
        excess |= await state.shared.bounds.exceeding(bound, wanted, _uncounted, state.new_keys.taken)
    for event in (new[key][0] for key in excess):
        state.deltas.add_bound_hit(event.site_id, CLICK_ID, event.at)
    rows = [
        (*_guard(event.site_id, sight), ids.day_start(ids.day_at(event.at) + _DAYS_KEPT), sight.holder)
        for key, (event, sight) in sorted(new.items())
        if key not in excess
    ]
    inserted = await state.transaction.insert_click_guards(rows)
    holders = {(row[0], row[2]): row[5] for row in rows if (row[0], row[2]) in inserted}
    if len(inserted) < len(rows):  # another process was first
        holders |= await state.transaction.click_guards([row[:4] for row in rows if (row[0], row[2]) not in inserted])
    return holders


def _sights(click: ArrivingClick) -> tuple[ClickSight, ClickSight]:
    return click.sight, click.sight_before


def _guard(site_id: int, sight: ClickSight) -> tuple[int, int, int, int]:
    return site_id, GUARD_CLICK_ID, sight.key, ids.hashed_cell(sight.key)


async def _uncounted() -> int:
    """How many are stored is not asked: this process counts what it takes itself."""
    return 0
