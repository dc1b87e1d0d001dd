"""How many checks of pages run: six a minute for each site, one at a time for each, and few at once in a process."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from grapevine.collect.rate_limit import PAGE_CHECKS, RateLimit
from grapevine.domain.periods import Clock
from grapevine.errors import Busy, RateLimited

MOST_AT_ONCE: Final = 2
"""In one process: each holds a page and its scripts in memory, and a slow page keeps its place for a minute at most."""
RETRY_SECONDS: Final = 10


class PageChecks:
    """The checks that run in this process. Each site is one entry as long as its check runs."""

    def __init__(self, limit: RateLimit, clock: Clock) -> None:
        self._limit = limit
        self._clock = clock
        self._running: set[int] = set()
        self.refused = 0
        """How many checks found no room, since the process started."""

    @contextmanager
    def started(self, site_id: int) -> Iterator[None]:
        """Lets a check of a site run as long as the block does. Raises RateLimited or Busy where it may not start."""
        if site_id in self._running:
            self.refused += 1
            raise RateLimited(
                "A check of this site is running. Wait until its result is there, then start the next one.",
                retry_after=RETRY_SECONDS,
            )
        if len(self._running) >= MOST_AT_ONCE:
            self.refused += 1
            raise Busy("Other pages are being checked right now. Try again in a moment.", retry_after=RETRY_SECONDS)
        wait = self._limit.page_check(site_id, self._clock())
        if wait:
            raise RateLimited(
                f"Pages of this site were checked {PAGE_CHECKS} times within a minute, which is the most. "
                f"Check the next one in {wait} seconds.",
                retry_after=wait,
            )
        self._running.add(site_id)
        try:
            yield
        finally:
            self._running.discard(site_id)
