"""When each API key was last used: noted in memory at each use, stored in the background."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from grapevine.background.periodic import log_failures
from grapevine.background.task import background_task
from grapevine.domain.periods import Clock
from grapevine.store.repositories.api_keys import ApiKeyRepository
from grapevine.telemetry.job_runs import JobRuns

EVERY_MS: Final = 60_000
"""How often the last use of one key is stored at most, so that a busy key costs a write a minute and not one a call."""

_JOB: Final = "key usage"


class KeyUsage:
    """The last use of each key that this process has seen. No request waits for the store because of it."""

    def __init__(self, api_keys: ApiKeyRepository, clock: Clock) -> None:
        self._api_keys = api_keys
        self._clock = clock
        self._noted_at: dict[str, int] = {}
        self._emptied_at = 0
        self._waiting: dict[str, int] = {}
        self._noted = asyncio.Event()

    @property
    def remembered(self) -> int:
        """The number of keys whose last use is in memory: those used in a minute or two."""
        return len(self._noted_at)

    def note(self, key_id: str) -> None:
        """Notes that a key that exists is used now."""
        now = self._clock()
        if abs(now - self._noted_at.get(key_id, 0)) >= EVERY_MS:
            if abs(now - self._emptied_at) >= EVERY_MS:  # keys come and go for as long as the process runs
                self._emptied_at = now
                self._noted_at = {key: at for key, at in self._noted_at.items() if abs(now - at) < EVERY_MS}
            self._noted_at[key_id] = self._waiting[key_id] = now
            self._noted.set()

    @asynccontextmanager
    async def running(self, jobs: JobRuns) -> AsyncIterator[None]:
        """Stores what is noted while the block runs, and the rest at its end."""
        work = jobs.timed(_JOB, self.store)
        try:
            async with background_task(self._store_for_ever(work), _JOB):
                yield
        finally:
            await log_failures(_JOB, work())

    async def store(self) -> None:
        """Stores the uses that are not stored yet. Those of a failed attempt are lost; the key's next use is stored."""
        waiting, self._waiting = self._waiting, {}
        if waiting:
            await self._api_keys.used(waiting)

    async def _store_for_ever(self, work: Callable[[], Awaitable[None]]) -> None:
        while True:
            await self._noted.wait()
            self._noted.clear()
            await log_failures(_JOB, work())
