"""The widget's files of other builds, from the database: each server keeps its own there when it starts."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from grapevine.background.periodic import log_failures, repeated
from grapevine.domain.periods import Clock
from grapevine.store.repositories.widget_files import WidgetFileRepository
from grapevine.telemetry.job_runs import JobRuns
from grapevine.web.public.widget_files import WidgetFile, WidgetFiles, kept

_JOB: Final = "widget files"
_EVERY_SECONDS: Final = 6 * 3600.0
_NAMES_MS: Final = 1_000
"""How old the list of names may be when somebody asks for a name that is not on it: a server with a newer build may
have kept it a moment ago. Strangers who invent names cost one query a second."""
_MOST_IN_MEMORY: Final = 500
"""Files; one has 3 KB on average, the largest 20 KB."""


class KeptFiles:
    """The files of the builds that servers of this database have or had. A file is found by a name that one of them
    kept, and by no other."""

    def __init__(self, files: WidgetFileRepository, own: WidgetFiles, clock: Clock) -> None:
        self._repository = files
        self._own = own
        self._clock = clock
        self._names: frozenset[str] = frozenset()
        self._names_at = 0
        self._reading = asyncio.Lock()
        self._memory: OrderedDict[str, WidgetFile] = OrderedDict()

    @asynccontextmanager
    async def running(self, jobs: JobRuns) -> AsyncIterator[None]:
        """Keeps the files of this server's build at once and then every six hours, which says that it still runs."""
        work = jobs.timed(_JOB, self.keep)
        await log_failures(_JOB, work())
        async with repeated(_JOB, _EVERY_SECONDS, work):
            yield

    async def keep(self) -> None:
        """Keeps the files of this server's build. Raises StoreError."""
        await self._repository.keep(self._own.to_keep(), self._clock())

    async def find(self, name: str) -> WidgetFile | None:
        """Returns the file of another build, or None when no server has kept a file of that name. Raises StoreError."""
        if name in self._memory:
            self._memory.move_to_end(name)
            return self._memory[name]
        if not await self._is_kept(name):
            return None
        found = await self._repository.file(name)
        if found is None:
            return None
        self._memory[name] = kept(found)
        if len(self._memory) > _MOST_IN_MEMORY:
            self._memory.popitem(last=False)
        return self._memory[name]

    async def _is_kept(self, name: str) -> bool:
        if name in self._names:
            return True
        async with self._reading:  # concurrent callers share one refresh
            now = self._clock()
            if name not in self._names and abs(now - self._names_at) >= _NAMES_MS:
                self._names = await self._repository.names()
                self._names_at = now
        return name in self._names
