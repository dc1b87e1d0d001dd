"""Detects visitors that open one shared link again within a minute; ``verdict_job`` judges them later.

A visitor is a hash of one address, one browser and one language. Whether that is a bot, a person, or an office full of
people, the verdict decides later, from everything that was stored of the visitor.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, NamedTuple, TypeVar

from grapevine.domain import ids
from grapevine.domain.scan_signs import SIGNS
from grapevine.store.rows import ShareKey, VisitRow

WINDOW_MS: Final = 60_000
GRACE_MS: Final = 10 * 60_000
"""The time in which a visit can show that a person makes it, by a second page, a share, a goal."""
_REMEMBERED: Final = 20_000

K = TypeVar("K")


class VisitorDay(NamedTuple):
    """A visitor of a site on a day."""

    site_id: int
    day: int
    visitor: int

    @property
    def cell(self) -> int:
        """The cell of its row."""
        return ids.hashed_cell(self.visitor)


class Bursts:
    """Recent openings, bounded. A visitor is returned again once its last burst has been judged."""

    def __init__(self, remembered: int = _REMEMBERED) -> None:
        self._remembered = remembered
        self._opened: dict[tuple[ShareKey, int], int] = {}
        self._suspected: dict[VisitorDay, int] = {}

    def suspicious(self, visits: Iterable[VisitRow]) -> dict[VisitorDay, int]:
        """Returns the visitors among new ``visits`` to be judged, and the time (UTC ms) from which they can be."""
        found: dict[VisitorDay, int] = {}
        for row in visits:
            share = row.opened
            if share is None or row.is_aside or row.visitor is None:
                continue
            before = self._opened.pop((share, row.visitor), None)
            self._opened[share, row.visitor] = row.at
            if before is None or row.at - before > WINDOW_MS:
                continue
            visitor = VisitorDay(row.site_id, ids.day_at(row.at), row.visitor)
            if row.at - self._suspected.get(visitor, row.at - GRACE_MS) >= GRACE_MS:
                self._suspected[visitor] = row.at
                found[visitor] = row.at + GRACE_MS
        drop_older_half(self._opened, self._remembered)
        drop_older_half(self._suspected, self._remembered)
        return found


def single_openings(visits: Iterable[VisitRow]) -> dict[VisitorDay, int]:
    """Returns the visitors among new ``visits`` whose opening shows a sign of a program that checks mails, and the time
    (UTC ms) from which they can be judged."""
    return {
        VisitorDay(row.site_id, ids.day_at(row.at), row.visitor): row.at + GRACE_MS
        for row in visits
        if row.flags & SIGNS and row.verdict is None and not row.is_aside and row.visitor is not None
    }


def drop_older_half(kept: dict[K, int], most: int) -> None:
    """Drops the older half of ``kept`` when it holds more than ``most``."""
    if len(kept) > most:
        for key in list(kept)[: len(kept) // 2]:
            del kept[key]
