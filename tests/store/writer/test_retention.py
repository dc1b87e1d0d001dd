"""Retention: what is old is deleted with all that hangs on it, and what is left agrees with every count."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from grapevine.background.leases import Leases
from grapevine.domain import ids
from grapevine.store.base import Store
from grapevine.telemetry.job_runs import JobRuns
from grapevine.writer.retention_job import RetentionJob, retention
from tests.store.databases import Databases
from tests.store.doctor.damaged_worlds import DamageableWorld, planted
from tests.store.world import DAYS, FIRST_DAY, LINK, SITE, Visit
from tests.store.world_rows import NONCES
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

    return RetentionJob(store, days, Leases(store.leases, clock, holder), clock, NONCES, pause)


def lasts(visit: Visit) -> bool:
    """Whether it is the node of a minted link without an end; by now all others have ended."""
    return visit.source == LINK and visit.expires_at is None


@asynccontextmanager
async def opened(filled: DamageableWorld) -> AsyncIterator[Backend]:
    store = filled.database.store()
    await store.open()
    try:
        yield store
    finally:
        await store.close()


@pytest.mark.parametrize("seed", [1, pytest.param(2, marks=pytest.mark.slow)])
async def test_day_after_day_goes_and_every_number_agrees(databases: Databases, seed: int) -> None:
    differences = Differences()
    async with planted(databases, seed) as filled, opened(filled) as store:
        counts = {table: await filled.rows(f"SELECT * FROM {table}") for table in ("counts_hour", "counts_shared")}
        for horizon in range(FIRST_DAY - 1, FIRST_DAY + DAYS + 2):
            deleted = await retention_job(store, horizon).run()
            left = {
                visit.visit_id for visit in filled.world.visits if ids.day_of(visit.visit_id) >= horizon or lasts(visit)
            }
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


@pytest.mark.parametrize("seed", [1])
async def test_damage_is_still_found(databases: Databases, seed: int) -> None:
    """What is left is compared as sharply as before: each kind of damage is found on the days that are kept."""
    differences = Differences()
    horizon = FIRST_DAY + 2
    async with planted(databases, seed) as filled, opened(filled) as store:
        await retention_job(store, horizon).run()
        young = ids.pack(horizon + 2, 0, 0)
        damages = {
            "UPDATE visits SET next_view = next_view + 1 WHERE verdict IS NULL AND source <> 10": {"views"},
            "UPDATE counts_hour SET conversions = conversions + 1 WHERE cell = 1": {"counts by hour", "counts by day"},
            "UPDATE counts_page SET shares = shares + 1 WHERE cell = 1": {"counts by page", "counts by week"},
            "UPDATE counts_shared SET shares = shares + 1": {"shares by page"},
            f"UPDATE cascades SET size = size + 1 WHERE root_id >= {young}": {"cascades"},
            f"UPDATE shares SET returns = returns + 1 WHERE visit_id >= {young}": {"shares"},
            f"UPDATE visits SET parent_id = {young} WHERE parent_id IS NOT NULL AND via_id IS NULL": {"chains"},
            "DELETE FROM deleted_counts WHERE hour < 0": {"views", "shares by page"},
        }
        for damage, expected in damages.items():
            back = damage.replace("+ 1", "- 1")
            assert await filled.change(damage) > 0
            with differences.case(damage):
                assert expected <= set(await filled.recount())
            if back != damage:
                await filled.change(back)
                assert await filled.recount() == {}
    differences.check(len(damages))


async def test_nothing_is_deleted_before_its_time_nor_for_a_clock_that_goes_back(databases: Databases) -> None:
    async with planted(databases, 1) as filled, opened(filled) as store:
        everything = await filled.rows("SELECT count(*) FROM visits")
        assert await retention_job(store, FIRST_DAY - 1).run() == 0
        assert await filled.rows("SELECT count(*) FROM visits") == everything
        assert await store.retention.horizon() == FIRST_DAY - 1
        await store.retention.raise_horizon(FIRST_DAY + 400)  # a clock was wrong for a moment
        deleted = await retention_job(store, FIRST_DAY + 1).run()
        left = {
            visit.visit_id for visit in filled.world.visits if ids.day_of(visit.visit_id) > FIRST_DAY or lasts(visit)
        }
        assert {row[0] for row in await filled.rows("SELECT visit_id FROM visits")} == left
        assert deleted > 0
        assert await store.retention.horizon() == FIRST_DAY + 400


async def test_two_processes_delete_each_visit_once(databases: Databases) -> None:
    """One works at a time; where its lease expired in between, both may work at once."""
    async with planted(databases, 2) as filled, opened(filled) as one, opened(filled) as other:
        ((visits,),) = await filled.rows(
            "SELECT count(*) FROM visits v WHERE NOT EXISTS (SELECT 1 FROM links l WHERE l.site_id = v.site_id"
            " AND l.visit_id = v.visit_id AND l.expires_at IS NULL)"
        )
        horizon = FIRST_DAY + DAYS + 1
        found: list[int] = []
        busy = asyncio.Event()

        async def released(_: float) -> None:
            if not found:
                found.append(await retention_job(other, horizon, "b").run())
                busy.set()
            for holder in ("a", "b"):
                await one.leases.release_lease("retention", holder)

        first = asyncio.create_task(retention_job(one, horizon, "a", pause=released).run())
        await busy.wait()
        second = await retention_job(other, horizon, "b", pause=released).run()
        assert found == [0] or not one.shared
        assert await first + second + found[0] == visits
        assert await filled.recount() == {}


async def test_a_clock_that_is_set_while_the_server_runs_is_not_believed(databases: Databases) -> None:
    async with planted(databases, 1) as filled, opened(filled) as store:
        now = ids.day_start(FIRST_DAY)
        job = RetentionJob(store, KEPT_DAYS, Leases(store.leases, lambda: now, "a"), lambda: now, NONCES, at_once)
        now += 100 * 365 * ids.DAY_MS
        assert await job.run() == 0
        now -= 100 * 365 * ids.DAY_MS
        assert await job.run() == 0
        assert await store.retention.horizon() == FIRST_DAY - KEPT_DAYS


async def test_with_no_days_nothing_runs(databases: Databases) -> None:
    async with planted(databases, 1) as filled, opened(filled) as store:
        year = 365 * ids.DAY_MS

        def clock() -> int:
            return ids.day_start(FIRST_DAY) + year

        leases = Leases(store.leases, clock, "a")
        before = await filled.rows("SELECT count(*) FROM visits")
        async with retention(store, 0, leases, clock, NONCES, JobRuns()):
            await asyncio.sleep(0)
        assert await filled.rows("SELECT count(*) FROM visits") == before
        assert await store.retention.horizon() is None
        assert await RetentionJob(store, KEPT_DAYS, leases, clock, NONCES, at_once).run() > 0
