"""Conversions by goal, against a count of every single one, on each backend."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import closing

import pytest

from grapevine.analytics.goals import GoalRow, conversions_by_goal
from grapevine.analytics.metrics import EVERYTHING, Filters
from grapevine.analytics.summary import period_summary
from grapevine.domain import enums, ids, money
from grapevine.domain.periods import Period
from grapevine.store import sql_loader
from tests.store.analytics.stored_world import StoredWorld, stored_world
from tests.store.databases import Database, Databases
from tests.store.sqlite.test_query_plans import plan
from tests.store.world import FIRST_DAY, PAGES, SITE, Visit, World, site_of

pytestmark = pytest.mark.anyio

WHOLE = Period(ids.day_date(FIRST_DAY - 1), ids.day_date(FIRST_DAY + 7))
PERIODS = (WHOLE, Period(ids.day_date(FIRST_DAY + 1), ids.day_date(FIRST_DAY + 2)))
FILTERS = (EVERYTHING, Filters(page=PAGES[1]), Filters(source="share", device="phone"))


@pytest.fixture(scope="module")
async def filled(databases: Databases) -> AsyncIterator[StoredWorld]:
    async def prepare(database: Database) -> None:
        await database.change("UPDATE conversions SET goal = 'order' WHERE currency = 'EUR' AND site_id = ?", SITE)

    async with stored_world(databases, 3, prepare) as filled:
        yield filled


def passes(visit: Visit, filters: Filters) -> bool:
    return (
        filters.page in (None, visit.page)
        and filters.source in (None, enums.SOURCE_NAMES[visit.source])
        and filters.device in (None, enums.DEVICE_NAMES[visit.device])
    )


@pytest.mark.parametrize("period", PERIODS, ids=["whole", "middle"])
@pytest.mark.parametrize("filters", FILTERS, ids=repr)
async def test_goals_are_what_a_count_finds(filled: StoredWorld, period: Period, filters: Filters) -> None:
    times: Counter[str] = Counter()
    worth: dict[str, Counter[str]] = {}
    for visit in filled.world.visits:
        for at, value, currency in visit.values:
            if visit.verdict or not period.start <= at < period.end or not passes(visit, filters):
                continue
            goal = "order" if currency == "EUR" else "signup"
            times[goal] += value is None or value > 0
            if currency is not None and value is not None:
                worth.setdefault(goal, Counter())[currency] += value
    found = await conversions_by_goal(filled.reads, filled.site, period, filters)
    assert (found.number, found.others) == (len(times), None)
    assert found.goals == [
        GoalRow(goal, number, money.amounts(worth.get(goal, Counter()).items()))
        for goal, number in sorted(times.items(), key=lambda row: (-row[1], row[0]))
    ]


async def test_the_others_are_all_that_is_not_listed(filled: StoredWorld) -> None:
    for period in PERIODS:
        whole = await conversions_by_goal(filled.reads, filled.site, period)
        first, last = whole.goals
        found = await conversions_by_goal(filled.reads, filled.site, period, most=1)
        assert (found.number, found.goals) == (2, [first])
        assert found.others == GoalRow("(other)", last.conversions, last.value)


async def test_goals_add_up_to_the_summary(filled: StoredWorld) -> None:
    other = site_of(World(site_id=8))
    summary = await period_summary(filled.reads, other, WHOLE)
    (goal,) = (await conversions_by_goal(filled.reads, other, WHOLE)).goals
    assert goal == GoalRow("signup", summary.conversions, summary.value)


def test_goals_are_read_through_an_index() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        for migration in sql_loader.migrations():
            database.executescript(sql_loader.for_dialect("sqlite", migration.text))
        steps = plan(database, "goals_by")
    (read,) = (step for step in steps if "conversions" in step)
    assert "conversions_at (site_id=? AND at>? AND at<?)" in read
    assert all("goals" in step or "subquery" in step for step in steps if step.startswith("SCAN"))  # the groups
