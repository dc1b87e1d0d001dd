"""Judges the openings of a sharer's links that came from one network in great number.

Other than for a visitor, activity in one visit does not clear the whole network: it explains some silent openings
(``analytics.models.flood_verdict``), so that one made-up page view does not clear thousands. Visits with activity
always stay. A wide network is judged with all networks in it, after each of these.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Final

from grapevine.analytics.models.flood_verdict import UNEXPLAINED, excess
from grapevine.domain.enums import VERDICT_NAMES, VERDICTS
from grapevine.domain.networks import WIDE_SHIFT
from grapevine.store.base import Store
from grapevine.store.repositories.floods import NetworkOpenings, SharerDay
from grapevine.store.rows import VisitRow
from grapevine.writer.bursts import GRACE_MS, VisitorDay
from grapevine.writer.recorder import EventRecorder
from grapevine.writer.removal import Removal

log = logging.getLogger(__name__)

_SHARERS: Final = 500
_READ: Final = 5_000
"""Visits that one query reads, so that memory stays flat whatever the flood."""
_TAKEN_AT_ONCE: Final = 250
"""Visits that one transaction takes out: on SQLite it holds up the event loop."""
_VISITORS: Final = 50_000
"""So many visitors' numbers of visits are kept within one run."""
_REPLAY: Final = VERDICTS["replay"]


class FloodJudge:
    """Judges the sharers whose links networks opened often."""

    def __init__(self, store: Store, recorder: EventRecorder) -> None:
        self._store = store
        self._recorder = recorder
        self._counted: dict[VisitorDay, int] = {}

    async def run(self, now: int) -> int:
        """Judges what is due. Returns how many visits were taken out of the counts."""
        taken = 0
        self._counted.clear()
        for sharer in await self._store.floods.due(now, _SHARERS):
            taken += await self._judge(sharer, now)
        if taken:
            log.info("%d visits were taken out of the counts: %s", taken, VERDICT_NAMES[_REPLAY])
        return taken

    async def _judge(self, sharer: SharerDay, now: int) -> int:
        """Takes out what no activity explains, of the openings that had their grace period; younger ones are noted
        for a later verdict."""
        end = now - GRACE_MS + 1
        taken = 0
        for shift in (0, WIDE_SHIFT):
            for found in await self._store.floods.busy_networks(sharer, end, shift, UNEXPLAINED):
                taken += await self._judge_network(sharer, end, found)
        last = await self._store.floods.last_opening(sharer)
        async with self._store.batch() as batch:
            await batch.floods.judged(sharer, now)
            if last is not None and last >= end:
                await batch.floods.suspect([(sharer, last + GRACE_MS)])
        return taken

    async def _judge_network(self, sharer: SharerDay, end: int, found: NetworkOpenings) -> int:
        if not excess(found.silent, found.counted, found.active):  # spares looking for activity of other kinds
            return 0
        hidden = await self._store.floods.hidden_activity(sharer, end, found)
        left = excess(found.silent - hidden, found.counted - hidden, found.active + hidden)
        taken = 0
        while left > 0:
            visits = await self._store.floods.silent_openings(sharer, end, found, min(left, _READ))
            removed = await self._take_out_all(sharer, visits)
            taken += removed
            left -= len(visits)
            if not removed:  # all of them turned out to be people's, or there are no more
                break
        return taken

    async def _take_out_all(self, sharer: SharerDay, visits: Sequence[VisitRow]) -> int:
        """Takes ``visits`` out, the last ones first; a visitor is uncounted with the first of their visits, and only
        if no other one of the day counts."""
        counted = await self._count_visits(sharer, Counter(row.visitor for row in visits if row.visitor is not None))
        taken = 0
        for start in range(0, len(visits), _TAKEN_AT_ONCE):
            async with self._store.batch() as batch:
                removal = Removal(batch, self._recorder)
                silent = await removal.hold(visits[start : start + _TAKEN_AT_ONCE])
                firsts = []
                for row in silent:
                    visitor = VisitorDay(sharer.site_id, sharer.day, row.visitor or 0)
                    counted[visitor] = counted.get(visitor, 0) - 1
                    if counted[visitor] <= 0 and await removal.forget_visitor(visitor):
                        firsts.append(row.visit_id)
                if silent:
                    await removal.take_out(silent, _REPLAY, frozenset(firsts))
            taken += len(silent)
        return taken

    async def _count_visits(self, sharer: SharerDay, taken: Counter[int]) -> dict[VisitorDay, int]:
        """Returns how many visits of each visitor count on the day.

        All visits of the day are looked through for that. So it is not done again for a visitor who has many more than
        are ``taken`` now: a program at one address is the same visitor to every sharer.
        """
        counted = self._counted
        if len(counted) > _VISITORS:
            counted.clear()
        few = [
            visitor
            for visitor, number in taken.items()
            if counted.get(VisitorDay(sharer.site_id, sharer.day, visitor), 0) <= 2 * number
        ]
        found = await self._store.floods.counted_visits(sharer.site_id, sharer.day, few) if few else {}
        for visitor in few:
            counted[VisitorDay(sharer.site_id, sharer.day, visitor)] = found.get(visitor, 0)
        return counted
