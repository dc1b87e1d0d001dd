"""Classifies stored answers that older rules classified, or none (docs/decisions/0079).

The job goes through the answers of each site by their time, some at once, and changes those that are behind. It keeps
no position: a run that was interrupted begins again, and finds what it has done already at the newer version.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Final

from grapevine.background.job_lease import JobLease
from grapevine.background.leases import Leases
from grapevine.background.pace import Pace
from grapevine.background.periodic import log_failures
from grapevine.background.task import background_task
from grapevine.domain.channels import CODES
from grapevine.domain.periods import Clock
from grapevine.store.answer_rows import AnswerRow
from grapevine.store.base import Store
from grapevine.store.readers.exports import ANSWERS, ExportRange
from grapevine.store.repositories.answers import ClassifiedRow
from grapevine.telemetry.job_runs import JobRuns

log = logging.getLogger(__name__)

_JOB: Final = "classes of answers"
_EVERY_SECONDS: Final = 3_600.0
_READ_AT_ONCE: Final = 500
_CHANGED_AT_ONCE: Final = 50
"""Texts that are classified before other tasks get their turn: some milliseconds."""


class ClassifyJob:
    """Classifies what is behind. ``pause`` waits so many seconds."""

    def __init__(
        self,
        store: Store,
        leases: Leases,
        clock: Clock,
        pause: Callable[[float], Awaitable[object]] = asyncio.sleep,
    ) -> None:
        self._store = store
        self._lease = JobLease(leases, _JOB, clock, needed=store.shared)
        self._pace = Pace(pause)
        self._finished = False

    async def run(self) -> int:
        """Classifies all answers that are behind, unless another process does. Returns how many it changed.

        When all are done it does nothing more: what comes later comes with its class.
        """
        if self._finished or not await self._lease.holds():
            return 0
        changed, site_id = 0, -1
        self._pace.begin()
        while (found := await self._store.answers.next_site(site_id)) is not None:
            site_id = found
            async for rows in self._store.exports.read_batches(ANSWERS, ExportRange(site_id), _READ_AT_ONCE):
                for start in range(0, len(rows), _CHANGED_AT_ONCE):
                    changed += await self._classify(rows[start : start + _CHANGED_AT_ONCE])
                    await self._pace.rest()
                    if not await self._lease.holds():
                        return changed
        self._finished = True
        await self._lease.release()
        if changed:
            log.info("%d stored answers were classified by new rules", changed)
        return changed

    async def _classify(self, rows: list[AnswerRow]) -> int:
        from grapevine.answers.classify import classify
        from grapevine.answers.rules import rule_book

        version = rule_book().version
        behind = list[ClassifiedRow]()
        for row in rows:
            if row.rules is None or row.rules < version:
                found = classify(row.text)
                channel = None if found.channel is None else CODES[found.channel]
                behind.append((row.site_id, row.visit_id, row.cell, row.event_key, found.name, channel, version))
        if behind:
            await self._store.answers.classify(behind)
        return len(behind)


def _read_rules() -> None:
    from grapevine.answers.classify import classify

    classify("misspeltt")  # which loads what compares misspelt words, too


@asynccontextmanager
async def answer_classes(store: Store, leases: Leases, clock: Clock, jobs: JobRuns) -> AsyncIterator[None]:
    """Classifies what is behind while the block runs, in one process of several. Errors are logged."""
    work = jobs.timed(_JOB, ClassifyJob(store, leases, clock).run)

    async def loop() -> None:
        await asyncio.to_thread(_read_rules)  # some 100 ms that no request has to wait for
        while True:
            await log_failures(_JOB, work())
            await asyncio.sleep(_EVERY_SECONDS)

    async with background_task(loop(), _JOB):
        yield
