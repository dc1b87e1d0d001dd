"""Which lines of access logs show visits that a page's script reported as well: one line for one visit.

A line takes the likeliest visit through its share within ten minutes. A line that is left then takes a visit that was
erased, of which no more is known than its parent and its day: what somebody had erased must not come back, so in doubt
the line is dropped.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from grapevine.domain import ids
from grapevine.domain.events import VisitEvent
from grapevine.domain.tokens import Token
from grapevine.store.repositories.log_joins import LogJoin, ReportedVisit, ShareMoment
from grapevine.store.rows import VisitRow
from grapevine.store.write_batch import Batch
from grapevine.writer.nonces import Nonces

WITHIN_MS: Final = 10 * 60_000
"""A visit is reported within seconds of its line. Ten minutes allow for clocks of two machines that differ, and for a
page that was opened in the background."""

_NEAREST: Final = 32
"""So many visits before and after a line are compared with it: a link that ten thousand people open in ten minutes has
no line that needs more."""


async def join_lines(
    batch: Batch, nonces: Nonces, events: Sequence[VisitEvent], sharers: Mapping[tuple[int, int], VisitRow]
) -> dict[str, ReportedVisit]:
    """Joins lines with reported visits, in the transaction that holds their ``sharers``. Returns the visits by the
    nonces of their lines."""
    by_share: dict[tuple[int, Token], list[VisitEvent]] = {}
    for event in events:
        if event.token is not None:
            by_share.setdefault((event.site_id, event.token), []).append(event)
    joins: list[LogJoin] = []
    taken: dict[str, ReportedVisit] = {}
    # Shares of one sharer take turns: a visit that was erased may have come through any of them.
    erased_taken: set[tuple[int, int]] = set()
    for (site_id, token), lines in by_share.items():
        found = await _visits_near(batch, sharers[site_id, token.visit_id], token, lines)
        pairs = _pairs(lines, [visit for visit in found if not visit.is_erased])
        erased = [visit for visit in found if visit.is_erased and (site_id, visit.visit_id) not in erased_taken]
        pairs |= _erased_pairs([line for line in lines if line.nonce not in pairs], erased)
        erased_taken |= {(site_id, visit.visit_id) for visit in pairs.values() if visit.is_erased}
        taken |= pairs
        joins += [
            LogJoin(site_id, pairs[line.nonce].visit_id, pairs[line.nonce].cell, line_key(nonces, line))
            for line in lines
            if line.nonce in pairs
        ]
    await batch.log_joins.insert(joins)
    return taken


def line_key(nonces: Nonces, event: VisitEvent) -> int:
    """Returns the keyed hash by which a line is recognised."""
    return nonces.guard_key("log-line", event.site_id, event.nonce)


async def _visits_near(
    batch: Batch, sharer: VisitRow, token: Token, lines: Sequence[VisitEvent]
) -> Sequence[ReportedVisit]:
    """Returns the visits through a share that its lines can be joined with, in the order of time.

    As many are read on each side of a line as there are lines, so that one is left for each of them however many
    opened the link: what is read has a bound, and no line lacks a visit because others took those nearest to it.
    """
    limit = max(_NEAREST, len(lines))
    found: set[ReportedVisit] = set()
    # A visit stands aside once it is judged: those that came before hang on itself.
    for parent_id in {sharer.visit_id, sharer.hangs_on}:
        for at in {line.at for line in lines}:
            moment = ShareMoment(
                site_id=sharer.site_id,
                cell=sharer.cell,
                parent_id=parent_id,
                sharer_id=sharer.visit_id,
                channel=token.channel,
                n=token.n,
                at=at,
                from_at=at - WITHIN_MS,
                to_at=at + WITHIN_MS,
                # The day of an id is the browser's, at most one from that of the visit's arrival.
                first_day=ids.day_start(ids.day_at(at) - 1),
                last_day=ids.day_start(ids.day_at(at) + 1),
            )
            found.update(await batch.log_joins.unjoined_visits(moment, limit))
    return sorted(found, key=lambda visit: (visit.at, visit.visit_id))


def _pairs(lines: Sequence[VisitEvent], visits: Sequence[ReportedVisit]) -> dict[str, ReportedVisit]:
    """Returns which visit each line gets that gets one: no line is left out within reach of a visit that is left.

    Of all pairs the likeliest are joined first: of the same page and device, and close in time. ``visits`` are in the
    order of time.
    """
    times = [visit.at for visit in visits]
    candidates = []
    for line in lines:
        middle = bisect_left(times, line.at)
        for visit in visits[max(0, middle - _NEAREST) : middle + _NEAREST]:
            apart = abs(visit.at - line.at)
            if apart <= WITHIN_MS:
                likeness = visit.page_id != line.page.page_id, visit.device != line.device, apart
                candidates.append((*likeness, line.at, line.nonce, visit))
    pairs: dict[str, ReportedVisit] = {}
    taken: set[int] = set()
    for *_, nonce, visit in sorted(candidates):
        if nonce not in pairs and visit.visit_id not in taken:
            pairs[nonce] = visit
            taken.add(visit.visit_id)
    left = [visit for visit in visits if visit.visit_id not in taken]
    for line in lines:
        if left and line.nonce not in pairs:
            nearest = _nearest(left, line.at)
            if abs(left[nearest].at - line.at) <= WITHIN_MS:
                pairs[line.nonce] = left.pop(nearest)
    return pairs


def _erased_pairs(lines: Iterable[VisitEvent], erased: Iterable[ReportedVisit]) -> dict[str, ReportedVisit]:
    """Returns which erased visit each line gets that gets one: one of its own day first."""
    by_day: defaultdict[int, list[ReportedVisit]] = defaultdict(list)
    for visit in erased:
        by_day[ids.day_of(visit.visit_id)].append(visit)
    pairs: dict[str, ReportedVisit] = {}
    for off in (0, -1, 1):
        for line in lines:
            on_day = by_day[ids.day_at(line.at) + off]
            if on_day and line.nonce not in pairs:
                pairs[line.nonce] = on_day.pop(0)
    return pairs


def _nearest(visits: Sequence[ReportedVisit], at: int) -> int:
    """Returns the index of the visit that is nearest in time; ``visits`` are in the order of time, at least one."""
    behind = bisect_left(visits, at, key=_at)
    return min(
        (index for index in (behind - 1, behind) if 0 <= index < len(visits)), key=lambda i: abs(_at(visits[i]) - at)
    )


def _at(visit: ReportedVisit) -> int:
    return visit.at
