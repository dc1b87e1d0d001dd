"""Machines that open one shared link again within a minute, as they come in: who is to be judged later.

A visitor's hash stands for a machine here: one address, one browser, one language. Whether it is a machine or a person,
or an office full of people, ``verdicts`` says later, from all that was stored of it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeVar

from grapevine.domain import ids
from grapevine.store.rows import ShareKey, VisitRow

WINDOW_MS: Final = 60_000
GRACE_MS: Final = 10 * 60_000
"""So long a visit has to show that a person makes it, by a second page, a share, a goal."""
_REMEMBERED: Final = 20_000

K = TypeVar("K")


class VisitorDay(NamedTuple):
    """A visitor of a site on a day."""

    site_id: int
    day: int
    visitor: int

    @property
    def cell(self) -> int:
        """Where its row lives."""
        return ids.hashed_cell(self.visitor)


class Bursts:
    """What was opened lately, bounded. A machine is named again when its last burst has been judged."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._opened: dict[tuple[ShareKey, int], int] = {}
        self._named: dict[VisitorDay, int] = {}

    def suspicious(self, visits: Iterable[VisitRow]) -> dict[VisitorDay, int]:
        """The machines among new ``visits`` that are to be judged, and from when on (UTC ms)."""
        found: dict[VisitorDay, int] = {}
        for row in visits:
            share = row.opened
            if share is None or row.is_aside or row.visitor is None:
                continue
            before = self._opened.pop((share, row.visitor), None)
            self._opened[share, row.visitor] = row.at
            if before is None or row.at - before > WINDOW_MS:
                continue
            machine = VisitorDay(row.site_id, ids.day_at(row.at), row.visitor)
            if row.at - self._named.get(machine, row.at - GRACE_MS) >= GRACE_MS:
                self._named[machine] = row.at
                found[machine] = row.at + GRACE_MS
        self._bound(self._opened)
        self._bound(self._named)
        return found

    def _bound(self, kept: dict[K, int]) -> None:
        """Forgets the older half of what is too much."""
        if len(kept) > self._remembered:
            for key in list(kept)[: len(kept) // 2]:
                del kept[key]
