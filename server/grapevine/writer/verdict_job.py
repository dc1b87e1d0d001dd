"""Late verdicts: suspicious visitors are judged when they had time to show that they are people.

Everything that a verdict takes back is taken back in one transaction: the visits from the counts, from the returns and
proofs of shares, and from cascades. Activity in a visit in the meantime clears its visitor.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from grapevine.analytics.models.bot_verdict import Opening, verdict_of
from grapevine.domain.enums import VERDICT_NAMES
from grapevine.store.base import Store
from grapevine.store.repositories.verdicts import CascadeKey
from grapevine.store.rows import ShareKey, ShareRow, VisitRow
from grapevine.store.write_batch import Batch
from grapevine.writer.bursts import VisitorDay
from grapevine.writer.counts import CountDeltas
from grapevine.writer.nonces import GUARD_VISITOR
from grapevine.writer.recorder import EventRecorder

log = logging.getLogger(__name__)

VERDICT_SECONDS: Final = 30.0
_MACHINES: Final = 500
_VISITS: Final = 1_000
_ONE_VIEW: Final = 2
_SEEN: Final = (("shares", "first_at"), ("reported", "reported_at"), ("proven", "proven_at"))


class VerdictJob:
    """Judges the suspicious visitors that batches noted."""

    def __init__(self, store: Store, recorder: EventRecorder) -> None:
        self._store = store
        self._recorder = recorder

    async def run(self, now: int) -> int:
        """Judges the visitors that are due. Returns how many visits were taken out of the counts."""
        taken = 0
        for named in await self._store.suspects.due(now, _MACHINES):
            taken += await self._judge(VisitorDay(*named))
        return taken

    async def _judge(self, visitor: VisitorDay) -> int:
        active, before = await self._store.suspects.count_active(*visitor)
        taken = 0
        while not active:
            visits = await self._store.suspects.visits(*visitor, limit=_VISITS)
            verdict = before or verdict_of(await self._openings(visits))
            if not visits or verdict is None or not await self._take_out(visitor, visits, verdict):
                break
            before, taken = verdict, taken + len(visits)
        async with self._store.batch() as batch:
            await batch.verdicts.judged(*visitor)
        if taken:
            log.info("%d visits were taken out of the counts: %s", taken, VERDICT_NAMES[before or 0])
        return taken

    async def _openings(self, visits: Sequence[VisitRow]) -> list[Opening]:
        """Returns the openings by ``visits``. A share was made when it was reported, or else when its visit began."""
        made = await self._store.suspects.share_times({key for row in visits if (key := row.opened)})
        found = []
        for row in visits:
            key = row.opened
            if key is not None and key in made:
                began_at, reported_at = made[key]
                made_at = began_at if reported_at is None or reported_at > row.at else reported_at
                found.append(Opening(row.at, (key.visit_id, key.channel, key.n), made_at))
        return found

    async def _take_out(self, visitor: VisitorDay, visits: Sequence[VisitRow], verdict: int) -> bool:
        """Takes the visits out of everything. Returns False when one of them is a person's after all."""
        async with self._store.batch() as batch:
            opened = {row.visit_id: key for row in visits if (key := row.opened)}
            named = [(row.site_id, row.visit_id, row.cell) for row in visits]
            stored = await batch.held_visits(
                dict.fromkeys([*named, *((key.site_id, key.visit_id, key.cell) for key in opened.values())])
            )
            visits = [stored[site_id, visit_id] for site_id, visit_id, _ in named if (site_id, visit_id) in stored]
            if (
                len(visits) < len(named)
                or not all(map(_is_silent, visits))
                or await batch.verdicts.has_activity(visits)
            ):
                return False
            deltas = CountDeltas(self._recorder.slot)
            first = await self._forget_visitor(batch, visitor)
            for index, row in enumerate(visits):
                deltas.uncount(row, first_of_day=first and index == 0)
            await batch.verdicts.set(visits, verdict)
            sharers = {key: sharer for key in opened.values() if (sharer := stored.get((key.site_id, key.visit_id)))}
            gone = await self._shares(batch, deltas, sharers)
            await self._cascades(batch, visits, gone)
            await deltas.write(batch, [], {})
        return True

    async def _forget_visitor(self, batch: Batch, visitor: VisitorDay) -> bool:
        """Removes the guard that counts the visitor once a day. Returns whether the visitor was counted."""
        key = visitor.visitor << 16 | visitor.day
        batch.when_committed(lambda: self._recorder.forget(visitor))
        return await batch.verdicts.forget_guard(visitor.site_id, GUARD_VISITOR, key, visitor.cell)

    async def _shares(
        self, batch: Batch, deltas: CountDeltas, sharers: Mapping[ShareKey, VisitRow]
    ) -> dict[CascadeKey, int]:
        """Writes shares as they are without the visits taken out. Returns how many of each cascade are gone."""
        before = await batch.shares(list(sharers))
        left = await batch.verdicts.returns_of_shares((key, sharer.hangs_on) for key, sharer in sharers.items())
        after: dict[ShareKey, ShareRow] = {}
        gone: dict[CascadeKey, int] = {}
        for key, share in before.items():
            returns, proven_at = left.get(key, (0, None))
            times = [at for at in (share.reported_at, proven_at) if at is not None]
            after[key] = now = _with(share, min(times, default=None), proven_at, returns)
            sharer = sharers[key]
            for row, by in ((share, -1), (now, 1)):
                for measure, column in _SEEN:
                    if row.first_at is not None and getattr(row, column) is not None:
                        deltas.add_share(sharer, row.channel, row.first_at, measure, by)
            if now.first_at is None and share.first_at is not None and sharer.verdict is None:
                cascade = CascadeKey(sharer.site_id, sharer.root, sharer.cell)
                gone[cascade] = gone.get(cascade, 0) + 1
        await batch.verdicts.set_shares((key, row.first_at, row.proven_at, row.returns) for key, row in after.items())
        return gone

    async def _cascades(self, batch: Batch, visits: Iterable[VisitRow], gone: Mapping[CascadeKey, int]) -> None:
        fewer: dict[CascadeKey, int] = {}
        for row in visits:
            cascade = CascadeKey(row.site_id, row.root, row.cell)
            fewer[cascade] = fewer.get(cascade, 0) + 1
        left = await batch.verdicts.returns_of_cascades(sorted(fewer))
        for cascade, number in sorted(fewer.items()):
            await batch.verdicts.shrink(cascade, number, gone.get(cascade, 0), left.get(cascade))


def _is_silent(row: VisitRow) -> bool:
    """Whether a row shows nothing but one page, opened through a link."""
    return row.verdict is None and row.next_view == _ONE_VIEW and not row.is_aside and not row.is_erased


def _with(share: ShareRow, first_at: int | None, proven_at: int | None, returns: int) -> ShareRow:
    return ShareRow(
        site_id=share.site_id,
        visit_id=share.visit_id,
        cell=share.cell,
        channel=share.channel,
        n=share.n,
        page_id=share.page_id,
        url=share.url,
        first_at=first_at,
        reported_at=share.reported_at,
        proven_at=proven_at,
        returns=returns,
        self_returns=share.self_returns,
    )
