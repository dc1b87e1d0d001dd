"""Questions whose answer would lack visits past retention are refused, with the first day that can be asked."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import Any

import pytest

from grapevine.analytics.attribution import attribute_conversions
from grapevine.analytics.breakdown import breakdown_by
from grapevine.analytics.goals import conversions_by_goal
from grapevine.analytics.metrics import Filters
from grapevine.analytics.series import Choice, metric_series
from grapevine.analytics.summary import period_summary
from grapevine.domain import ids
from grapevine.domain.periods import Period
from grapevine.errors import Invalid
from tests.store.analytics.stored_world import StoredWorld, stored_world
from tests.store.databases import Database, Databases
from tests.store.world import FIRST_DAY

pytestmark = pytest.mark.anyio

HORIZON = FIRST_DAY + 1
OLD = Period(ids.day_date(HORIZON), ids.day_date(HORIZON + 3))
KEPT = Period(ids.day_date(HORIZON + 1), ids.day_date(HORIZON + 3))
APP, APP_AND_CHANNEL = Filters(app="instagram"), Filters(app="instagram", channel="copy")
EUR = Choice(currency="EUR")

Ask = Callable[[StoredWorld, Period], Awaitable[Any]]


def series(metric: str, interval: str, filters: Filters, choice: Choice = Choice()) -> Ask:  # noqa: B008 - frozen
    return lambda asked, period: metric_series(asked.reads, asked.site, metric, interval, period, filters, choice)


REFUSED: dict[str, Ask] = {
    "summary": lambda asked, period: period_summary(asked.reads, asked.site, period, APP),
    "breakdown": lambda asked, period: breakdown_by(asked.reads, asked.site, "channel", period, APP),
    "attribution": lambda asked, period: attribute_conversions(asked.reads, asked.site, "last", period, APP),
    "goals": lambda asked, period: conversions_by_goal(asked.reads, asked.site, period, APP),
    "hours": series("visits", "hour", APP),
    "two filters": series("visits", "day", APP_AND_CHANNEL),
    "dark": series("dark", "day", APP),
    "value": series("value", "day", Filters(), EUR),
    "suspects": series("suspects", "day", Filters()),
}
COUNTED: dict[str, Ask] = {
    "summary": lambda asked, period: period_summary(asked.reads, asked.site, period),
    "breakdown": lambda asked, period: breakdown_by(asked.reads, asked.site, "device", period, APP),
    "days": series("k_factor", "day", APP),
    "dark": series("dark_share", "week", Filters(source="share")),
    "device": series("visits", "month", Filters(app="instagram", device="phone")),
}


async def raise_horizon(database: Database) -> None:
    await database.change(f"INSERT INTO retention (name, day) VALUES ('horizon', {HORIZON})")


@pytest.fixture(scope="module")
async def deleted(databases: Databases) -> AsyncIterator[StoredWorld]:
    async with stored_world(databases, 1, raise_horizon) as deleted:
        yield deleted


@pytest.mark.parametrize("name", REFUSED)
async def test_what_only_rows_know_is_answered_for_kept_days_alone(deleted: StoredWorld, name: str) -> None:
    assert await REFUSED[name](deleted, KEPT)
    with pytest.raises(Invalid) as caught:
        await REFUSED[name](deleted, OLD)
    (error,) = caught.value.errors
    assert error.field == "from"
    assert f"must be {KEPT.first} or later" in error.detail


@pytest.mark.parametrize("name", COUNTED)
async def test_what_counts_know_is_answered_for_all_days(deleted: StoredWorld, name: str) -> None:
    assert await COUNTED[name](deleted, OLD)
