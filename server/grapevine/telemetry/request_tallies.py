"""Requests by class of route: how many got which answer, and after how long."""

from __future__ import annotations

from typing import Final

from grapevine.telemetry.histogram import Histogram

ROUTES: Final = (
    "visits", "views", "shares", "conversions", "answers", "forget", "counts", "short-link", "qr", "about", "widget",
    "api", "export", "live", "dashboard", "health", "metrics", "other",
)  # fmt: skip
"""The classes of routes. What a client may vary (tokens, ids, names of files, unknown paths) makes no class."""

STATUSES: Final = ("1xx", "2xx", "3xx", "4xx", "5xx")


class RouteTally(Histogram):
    """The requests of one class: seconds from the request's head to the first byte of its answer, and statuses."""

    __slots__ = ("statuses",)

    def __init__(self) -> None:
        super().__init__()
        self.statuses = [0] * len(STATUSES)

    def note(self, status: int, seconds: float) -> None:
        """Counts an answer."""
        self.statuses[status // 100 - 1] += 1
        self.observe(seconds)

    def note_redirect(self) -> None:
        """Counts a redirect from memory, which takes some ten microseconds: measuring that would cost a fiftieth."""
        self.statuses[2] += 1
        self.buckets[0] += 1


def new_tallies() -> dict[str, RouteTally]:
    """Returns the tallies of a process by class of route."""
    return {route: RouteTally() for route in ROUTES}
