"""How many links a site may make on a day."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from grapevine.domain import ids
from grapevine.domain.periods import Clock
from grapevine.errors import RateLimited
from grapevine.store.repositories.links import LinkRepository

MOST_A_DAY: Final = 250_000
"""Links of a site and UTC day. A mailing to a quarter of a million people has one for each; rows are some 400 bytes."""

_COUNTED_ANEW: Final = 5_000
"""After so many links of this process the store counts again: other processes and commands make links, too, so each
process may let so many pass beyond the bound. A count reads all links of the day."""
_REFUSED_MS: Final = 1_000
"""For how long links are refused after one count."""
_DAYS: Final = 10_000
"""The counts of so many sites are kept."""


@dataclass
class _Count:
    """What the store counted ``at`` a time, and how many this process has made since."""

    stored: int
    at: int
    made: int = 0


class LinkBound:
    """Counts the links of sites, and asks the store now and then."""

    def __init__(self, links: LinkRepository, clock: Clock) -> None:
        self._links = links
        self._clock = clock
        self._counts: dict[tuple[int, int], _Count] = {}

    async def take(self, site_id: int, number: int, most: int = MOST_A_DAY) -> None:
        """Notes that a site makes so many links now. Raises RateLimited where these would be more than ``most``."""
        now = self._clock()
        key = site_id, ids.day_at(now)
        count = self._counts.get(key)
        if count is None or count.made >= _COUNTED_ANEW or (_exceeds(count, number, most) and _is_old(count, now)):
            found = _Count(await self._links.number_of_day(*key), now)
            if self._counts.get(key) is count:  # else a concurrent request has counted, and noted what it took
                if len(self._counts) >= _DAYS:
                    self._counts.clear()
                self._counts[key] = found
            count = self._counts.get(key, found)
        if _exceeds(count, number, most):
            raise RateLimited(
                f"A site makes {most:,} links a day, and this one has {count.stored + count.made:,} of today. "
                "Send the rest tomorrow (UTC).",
                retry_after=max(1, (ids.day_start(key[1] + 1) - now) // 1_000),
            )
        count.made += number


def _exceeds(count: _Count, number: int, most: int) -> bool:
    return count.stored + count.made + number > most


def _is_old(count: _Count, now: int) -> bool:
    return abs(now - count.at) >= _REFUSED_MS
