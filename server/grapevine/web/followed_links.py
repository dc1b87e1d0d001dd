"""Which short links were followed: noted in memory, stored in the background, so that they survive retention."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from grapevine.background.periodic import repeated
from grapevine.domain import ids
from grapevine.domain.tokens import Token
from grapevine.store.repositories.retention import RetentionRepository
from grapevine.store.rows import ShareKey
from grapevine.telemetry.job_runs import JobRuns

EVERY_SECONDS: Final = 60.0
MOST: Final = 10_000
"""So many links wait to be stored at most; further ones are noted when they are followed again."""

_JOB: Final = "followed links"


class FollowedLinks:
    """The links that this process has seen followed since the last were stored. No request waits for the store."""

    def __init__(self, retention: RetentionRepository) -> None:
        self._retention = retention
        self._waiting: set[ShareKey] = set()

    def note(self, site_id: int, token: Token) -> None:
        """Notes that the link of a token is followed."""
        if len(self._waiting) < MOST:
            visit_id = token.visit_id
            self._waiting.add(ShareKey(site_id, visit_id, ids.cell_of(visit_id), token.channel, token.n))

    @asynccontextmanager
    async def running(self, jobs: JobRuns) -> AsyncIterator[None]:
        """Stores what is noted every minute while the block runs, and the rest at its end."""
        async with repeated(_JOB, EVERY_SECONDS, jobs.timed(_JOB, self.store), at_end=True):
            yield

    async def store(self) -> None:
        """Stores what is noted. Links of a failed attempt are lost until they are followed again."""
        waiting, self._waiting = self._waiting, set()
        if waiting:
            await self._retention.mark_followed(waiting)
