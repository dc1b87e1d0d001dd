"""Late verdicts: suspicious visitors and networks are judged when they had time to show that they are people.

Everything that a verdict takes back is taken back in one transaction (``removal``). Activity in a visit in the
meantime clears its visitor.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Sequence
from typing import Final

from grapevine.analytics.models.bot_verdict import Opening, verdict_of
from grapevine.domain.enums import VERDICT_NAMES
from grapevine.store.base import Store
from grapevine.store.rows import VisitRow
from grapevine.writer.bursts import VisitorDay
from grapevine.writer.flood_judge import FloodJudge
from grapevine.writer.recorder import EventRecorder
from grapevine.writer.removal import Removal

log = logging.getLogger(__name__)

VERDICT_SECONDS: Final = 30.0
_MACHINES: Final = 500
_VISITS: Final = 1_000


class VerdictJob:
    """Judges the suspicious visitors and networks that batches noted."""

    def __init__(self, store: Store, recorder: EventRecorder) -> None:
        self._store = store
        self._recorder = recorder
        self._floods = FloodJudge(store, recorder)

    async def run(self, now: int) -> int:
        """Judges what is due. Returns how many visits were taken out of the counts."""
        taken: Counter[int] = Counter()
        for named in await self._store.suspects.due(now, _MACHINES):
            await self._judge(VisitorDay(*named), taken)
        for verdict, number in taken.items():
            log.info("%d visits were taken out of the counts: %s", number, VERDICT_NAMES[verdict])
        return taken.total() + await self._floods.run(now)

    async def _judge(self, visitor: VisitorDay, taken: Counter[int]) -> None:
        """Judges one visitor, and adds to ``taken`` how many visits were taken out by which verdict."""
        active, before = await self._store.suspects.count_active(*visitor)
        while not active:
            visits = await self._store.suspects.visits(*visitor, limit=_VISITS)
            verdict = before or verdict_of(await self._openings(visits))
            if not visits or verdict is None or not await self._take_out(visitor, visits, verdict):
                break
            before = verdict
            taken[verdict] += len(visits)
        async with self._store.batch() as batch:
            await batch.verdicts.judged(*visitor)

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
            removal = Removal(batch, self._recorder)
            silent = await removal.hold(visits)
            if len(silent) < len(visits):
                return False
            was_counted = await removal.forget_visitor(visitor)
            await removal.take_out(silent, verdict, [silent[0].visit_id] if was_counted else [])
        return True
