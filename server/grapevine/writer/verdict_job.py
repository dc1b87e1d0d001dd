"""Late verdicts: suspicious visitors and networks are judged when they had time to show that they are people.

Everything that a verdict takes back is taken back in one transaction (``removal``). Activity in a visit in the
meantime clears its visitor.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from grapevine.analytics.models.bot_verdict import SCAN_MS, Opening, verdict_of
from grapevine.analytics.models.scan_verdict import SingleOpening, all_scans
from grapevine.domain.enums import SHARE_REPORTERS, VERDICT_NAMES, VERDICTS
from grapevine.store.base import Store
from grapevine.store.repositories.verdicts import ShareTimes
from grapevine.store.rows import OPENED_ONCE, ShareKey, VisitRow
from grapevine.writer.bursts import GRACE_MS, VisitorDay
from grapevine.writer.flood_judge import FloodJudge
from grapevine.writer.recorder import EventRecorder
from grapevine.writer.removal import Removal

log = logging.getLogger(__name__)

VERDICT_SECONDS: Final = 30.0
_MACHINES: Final = 500
_VISITS: Final = 1_000
_SCANNER: Final = VERDICTS["scanner"]
_BY_SESSION: Final = SHARE_REPORTERS["session"]


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
            await self._judge(VisitorDay(*named), now, taken)
        for verdict, number in taken.items():
            log.info("%d visits were taken out of the counts: %s", number, VERDICT_NAMES[verdict])
        return taken.total() + await self._floods.run(now)

    async def _judge(self, visitor: VisitorDay, now: int, taken: Counter[int]) -> None:
        """Judges one visitor, and adds to ``taken`` how many visits were taken out by which verdict."""
        active, before = await self._store.suspects.count_active(*visitor)
        again_at = None
        while not active:
            visits = await self._store.suspects.visits(*visitor, limit=_VISITS)
            made = await self._store.suspects.share_times({key for row in visits if (key := row.opened)})
            verdict, flag = before or verdict_of(_openings(visits, made)), 0
            if verdict is None and len(visits) < _VISITS and all_scans(_single_openings(visits, made)):
                again_at = visits[-1].at + GRACE_MS
                if again_at > now:  # a visit has not had its time yet
                    break
                verdict, flag, again_at = _SCANNER, OPENED_ONCE, None
            if not visits or verdict is None or not await self._take_out(visitor, visits, verdict, flag):
                break
            before = None if flag else verdict
            taken[verdict] += len(visits)
        async with self._store.batch() as batch:
            await batch.verdicts.judged(*visitor)
            if again_at is not None:
                await batch.verdicts.suspect([(*visitor, visitor.cell, again_at)])

    async def _take_out(self, visitor: VisitorDay, visits: Sequence[VisitRow], verdict: int, flag: int) -> bool:
        """Takes the visits out of everything. Returns False when one of them is a person's after all."""
        async with self._store.batch() as batch:
            removal = Removal(batch, self._recorder)
            silent = await removal.hold(visits)
            if len(silent) < len(visits):
                return False
            was_counted = await removal.forget_visitor(visitor)
            await removal.take_out(silent, verdict, [silent[0].visit_id] if was_counted else [], flag)
        return True


def _openings(visits: Sequence[VisitRow], made: Mapping[ShareKey, ShareTimes]) -> list[Opening]:
    """Returns the openings by ``visits``. A share was made when it was reported, or else when its visit began."""
    found = []
    for row in visits:
        key = row.opened
        if key is not None and key in made:
            began_at, reported_at, _ = made[key]
            made_at = began_at if reported_at is None or reported_at > row.at else reported_at
            found.append(Opening(row.at, (key.visit_id, key.channel, key.n), made_at))
    return found


def _single_openings(visits: Sequence[VisitRow], made: Mapping[ShareKey, ShareTimes]) -> list[SingleOpening]:
    """Returns what each of ``visits`` shows by itself; nothing at all where one came through no known share.

    A report with the token alone may be anybody's who holds the link, so it does not say when the share was made.
    """
    found = []
    again = _opened_at_once(visits)
    for row in visits:
        key = row.opened
        if key is None or key not in made:
            return []
        times = made[key]
        reported_at = times.reported_at if times.reported_by == _BY_SESSION else None
        shared_at = times.began_at if reported_at is None or reported_at > row.at else reported_at
        found.append(SingleOpening(row.at, key.channel, shared_at, row.flags, row.visit_id in again))
    return found


def _opened_at_once(visits: Sequence[VisitRow]) -> set[int]:
    """Returns the ids of those of a machine's ``visits``, sorted by time, that open a link twice at once."""
    last: dict[ShareKey, VisitRow] = {}
    found: set[int] = set()
    for row in visits:
        if (key := row.opened) is None:
            continue
        before = last.get(key)
        if before is not None and row.at - before.at <= SCAN_MS:
            found |= {before.visit_id, row.visit_id}
        last[key] = row
    return found
