"""How many words a site may try: a refusal says which words other sites have, and stores nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

from grapevine.domain.periods import Clock
from grapevine.errors import RateLimited
from grapevine.links.taken_words import WordsRefused

MOST_AN_HOUR: Final = 2_000
"""Words of refused calls of a site: two of the largest calls, and about what a network may guess after ``/go/``."""

_HOUR_MS: Final = 3_600_000


class RefusedWords:
    """The words of refused calls in this hour, by site. Each process counts by itself."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._hour = 0
        self._words = Counter[int]()

    @contextmanager
    def asking(self, site_id: int, words: int) -> Iterator[None]:
        """Runs the block that asks for so many words. All of them count where it is refused any: the free ones among
        them are known then, too. Raises RateLimited where the site has used its hour up."""
        if not words:
            yield
            return
        now = self._clock()
        hour = now // _HOUR_MS
        if hour != self._hour:
            self._hour = hour
            self._words.clear()
        if self._words[site_id] >= MOST_AN_HOUR:
            raise RateLimited(
                f"Calls of this site with {self._words[site_id]:,} words were refused within an hour, and "
                f"{MOST_AN_HOUR:,} are the most. Wait, or make links without words.",
                retry_after=max(1, ((hour + 1) * _HOUR_MS - now) // 1_000),
            )
        self._words[site_id] += words  # before it runs, so that concurrent calls do not pass together
        refused = False
        try:
            yield
        except WordsRefused:
            refused = True
            raise
        finally:
            if not refused and self._hour == hour:
                self._words[site_id] -= words
