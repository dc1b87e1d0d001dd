"""Deletes old rows: salts after 48 hours, expired guards, sessions and kept answers, what the live feed announced, late
rows of deleted sites, and words of links deleted 90 days ago."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

from grapevine.background.leases import Leases
from grapevine.background.periodic import log_failures, periodic, run_if_leased
from grapevine.domain import ids
from grapevine.domain.periods import Clock
from grapevine.sites.deletion import sweep_deleted_sites
from grapevine.store.base import Store
from grapevine.store.repositories.link_words import RESERVED_MS
from grapevine.store.repositories.live import KEPT_MS
from grapevine.telemetry.job_runs import JobRuns

EVERY_SECONDS: Final = 600
_JOB: Final = "housekeeping"


@asynccontextmanager
async def housekeeping(store: Store, clock: Clock, leases: Leases, jobs: JobRuns) -> AsyncIterator[None]:
    """Cleans up at once and then every ten minutes while the block runs, in one process of several.

    Errors are logged and do not keep the server from starting.
    """

    async def clean() -> None:
        await tidy(store, clock())

    work = jobs.timed(_JOB, clean)
    await log_failures(_JOB, run_if_leased(_JOB, work, leases))
    async with periodic(_JOB, EVERY_SECONDS, work, leases):
        yield


async def tidy(store: Store, now: int) -> None:
    """Deletes expired visitor salts, guards, sessions, kept answers and announcements, words of deleted links that are
    kept no longer, and late rows of deleted sites, also from SQLite's log, and what others deleted before."""
    await destroy_salts(store, now)
    await store.guards.forget_guards(now)
    await store.sessions.forget(now)
    await store.live.forget(now - KEPT_MS)
    await store.kept_answers.forget(now)
    await store.link_words.forget(now - RESERVED_MS)
    await sweep_deleted_sites(store, now)
    store.truncate_log()


async def destroy_salts(store: Store, now: int) -> None:
    """Deletes the visitor salts of all days before yesterday. A server does not start when this fails."""
    await store.salts.forget_salts("visitor", oldest_salt(now))


def oldest_salt(now: int) -> int:
    """Returns the first day whose visitor salt is kept: yesterday, so that each is kept for 48 hours from its day's
    beginning."""
    return ids.day_at(now) - 1
