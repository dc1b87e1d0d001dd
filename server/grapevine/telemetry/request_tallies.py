"""Requests by class of route: how many got which answer, and after how long."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

from grapevine.telemetry.histogram import Histogram

ROUTES: Final = (
    "visits", "views", "shares", "conversions", "answers", "forget", "counts", "short-link", "qr", "about",
    "webmention", "widget", "api", "export", "live", "docs", "dashboard", "health", "metrics", "other",
)  # fmt: skip
"""The classes of routes. What a client may vary (tokens, ids, names of files, unknown paths) makes no class."""

STATUSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx")
_REDIRECT: Final = STATUSES.index("3xx")


class RouteTally(Histogram):
    """The requests of one class: seconds from the request's head to the first byte of its answer, and statuses.

    ``redirects`` are those from memory. Each takes some ten microseconds, and measuring it would add a twentieth: they
    are counted as redirects that took no time.
    """

    __slots__ = ("_statuses", "redirects")

    def __init__(self) -> None:
        super().__init__()
        self._statuses = [0] * len(STATUSES)
        self.redirects = 0

    def note(self, status: int, seconds: float) -> None:
        """Counts an answer."""
        self._statuses[status // 100 - 1] += 1
        self.buckets[bisect_left(self.bounds, seconds)] += 1  # as `observe`, which would cost a call more
        self.sum += seconds

    @property
    def statuses(self) -> list[int]:
        """How many answers there were of each class in ``STATUSES``."""
        found = [*self._statuses]
        found[_REDIRECT] += self.redirects
        return found

    @property
    def count(self) -> int:
        return super().count + self.redirects

    def cells(self) -> list[float]:
        lowest, *others = super().cells()
        return [lowest + self.redirects, *others]


def new_tallies() -> dict[str, RouteTally]:
    """Returns the tallies of a process by class of route."""
    return {route: RouteTally() for route in ROUTES}
