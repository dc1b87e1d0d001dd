"""Retention: what is old is deleted with all that hangs on it, and what is left agrees with every count."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from grapevine.background.leases import Leases
from grapevine.domain import ids
from grapevine.store.base import Store
from grapevine.writer.retention_job import RetentionJob
from tests.store.databases import Databases
from tests.store.doctor.damaged_worlds import DamageableWorld, planted
from tests.store.world import DAYS, FIRST_DAY, SITE
from tests.support.backends import Backend
from tests.support.differences import Differences

pytestmark = pytest.mark.anyio

KEPT_DAYS = 30
HANGING = ("shares", "unfurls", "conversions", "answers")


async def at_once(_: float) -> None:
    """A pause that takes no time."""


def retention_job(
    store: Store,
    horizon: int,
    holder: str = "a",
    days: int = KEPT_DAYS,
    pause: Callable[[float], Awaitable[object]] = at_once,
) -> RetentionJob:
    """A job whose clock says that ``horizon`` is the first day to be kept."""

    def clock() -> int:
        return ids.day_start(horizon + days) + ids.HOUR_MS

    return RetentionJob(store, days, Leases(store.leases, clock, holder), clock, pause)


@asynccontextmanager
async def opened(filled: DamageableWorld) -> AsyncIterator[Backend]:
    store = filled.database.store()
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@pytest.mark.parametrize("seed", [1, 2])
async def test_day_after_day_goes_and_every_number_agrees(databases: Databases, seed: int) -> None:
    differences = Differences()
    async with planted(databases, seed) as filled, opened(filled) as store:
        counts = {table: await filled.rows(f"SELECT * FROM {table}") for table in ("counts_hour", "counts_shared")}
        for horizon in range(FIRST_DAY - 1, FIRST_DAY + DAYS + 2):
            deleted = await retention_job(store, horizon).run()
            left = {visit.visit_id for visit in filled.world.visits if ids.day_of(visit.visit_id) >= horizon}
            with differences.case(horizon - FIRST_DAY):
                assert await filled.recount() == {}
                stored = await filled.rows("SELECT visit_id FROM visits WHERE site_id = ?", SITE)
                assert {visit_id for (visit_id,) in stored} == left
                for table in HANGING:
                    orphans = await filled.rows(
                        f"SELECT * FROM {table} h WHERE h.visit_id <> 0 AND NOT EXISTS (SELECT 1 FROM visits v "
                        "WHERE v.site_id = h.site_id AND v.visit_id = h.visit_id)"
                    )
                    assert not orphans, table
                assert await retention_job(store, horizon).run() == 0
                assert deleted > 0 or horizon < FIRST_DAY
        assert await filled.rows("SELECT * FROM cascades WHERE last_at < ?", ids.day_start(FIRST_DAY + DAYS)) == []
        for table, before in counts.items():
            assert sorted(await filled.rows(f"SELECT * FROM {table}"), key=repr) == sorted(before, key=repr)
    differences.check(DAYS + 3)
