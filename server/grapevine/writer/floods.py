"""Detects sharers whose links are opened often from one wide network; ``flood_judge`` judges the openings later.

A process remembers only how often: whether those were people, the judge decides from what the store has.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple

from grapevine.domain import ids
from grapevine.domain.networks import WIDE_SHIFT
from grapevine.store.repositories.floods import SharerDay
from grapevine.store.rows import VisitRow
from grapevine.writer.bursts import GRACE_MS, drop_older_half

OFTEN: Final = 20
"""Openings of a day that one process sees from one wide network before it asks for a verdict: a fifth of those that
need an explanation, since requests may be spread over several processes."""
_REMEMBERED: Final = 20_000


class _Opened(NamedTuple):
    sharer: SharerDay
    wide_network: int


class Floods:
    """Recent openings by wide network, bounded. A sharer is returned again once its last verdict was due."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._times: dict[_Opened, int] = {}
        self._suspected: dict[SharerDay, int] = {}

    def suspicious(self, visits: Iterable[VisitRow]) -> dict[SharerDay, int]:
        """Returns the sharers of new ``visits`` whose returns are to be judged, and the time (UTC ms) from which they
        can be."""
        found: dict[SharerDay, int] = {}
        for row in visits:
            if row.parent_id is None or row.is_aside or row.network is None:
                continue
            sharer = SharerDay(row.site_id, row.parent_id, ids.day_at(row.at))
            key = _Opened(sharer, row.network >> WIDE_SHIFT)
            times = self._times.pop(key, 0) + 1
            self._times[key] = times
            if times >= OFTEN and row.at - self._suspected.get(sharer, row.at - GRACE_MS) >= GRACE_MS:
                self._suspected[sharer] = row.at
                found[sharer] = row.at + GRACE_MS
        drop_older_half(self._times, self._remembered)
        drop_older_half(self._suspected, self._remembered)
        return found
