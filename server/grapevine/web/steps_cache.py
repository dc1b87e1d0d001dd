"""The first steps of each site as they were read last: any number of open pages costs the store two reads a second."""

from __future__ import annotations

import asyncio
from typing import Final

from grapevine.analytics.first_steps import FirstSteps, first_steps
from grapevine.domain.periods import Clock
from grapevine.sites.cache import Site
from grapevine.store.readers.reads import Reads

FRESH_MS: Final = 500
MOST_SITES: Final = 1_000


class StepsCache:
    """Reads the first steps of sites, at most twice a second each."""

    def __init__(self, reads: Reads, clock: Clock) -> None:
        self._reads = reads
        self._clock = clock
        self._entries: dict[int, tuple[int, FirstSteps]] = {}
        self._reading = asyncio.Lock()

    async def read(self, site: Site) -> FirstSteps:
        """Returns the steps of a site, at most half a second old. Those of a site that has taken all of them are kept:
        only an erasure takes its first return back, and by then there is nothing to learn from them."""
        found = self._fresh(site)
        if found is not None:
            return found
        async with self._reading:  # concurrent callers share one read
            found = self._fresh(site)
            if found is None:
                found = await first_steps(self._reads, site, self._clock())
                self._entries.pop(site.site_id, None)
                if len(self._entries) >= MOST_SITES:
                    del self._entries[next(iter(self._entries))]
                self._entries[site.site_id] = self._clock(), found
        return found

    def _fresh(self, site: Site) -> FirstSteps | None:
        at, steps = self._entries.get(site.site_id, (0, None))
        done = steps is not None and steps.next is None
        return steps if done or abs(self._clock() - at) < FRESH_MS else None
