"""Statistics against a count of every single object, over every way of filtering and both ways of counting.

A test asks one question of one world in every way there is, collects all differences, and fails with all of them.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from itertools import product
from typing import Any

import pytest

from grapevine.analytics import metrics
from grapevine.analytics.breakdown import breakdown_by
from grapevine.analytics.metrics import EVERYTHING, Filters
from grapevine.analytics.summary import period_summary
from grapevine.domain import ids
from grapevine.domain.periods import Period
from grapevine.errors import Invalid
from grapevine.store.readers.summary import weeks_of
from tests.store.analytics import expected_counts
from tests.store.analytics.stored_world import StoredWorld, stored_world
from tests.store.databases import Databases
from tests.store.world import FIRST_DAY, PAGES, World, site_of
from tests.support.differences import Differences

pytestmark = pytest.mark.anyio

WHOLE = Period(ids.day_date(FIRST_DAY - 1), ids.day_date(FIRST_DAY + 7))
MIDDLE = Period(ids.day_date(FIRST_DAY + 1), ids.day_date(FIRST_DAY + 3))
MONTH = Period(ids.day_date(FIRST_DAY - 15), ids.day_date(FIRST_DAY + 15))  # all of it lies in whole weeks
WEEK = Period(ids.day_date(FIRST_DAY - 9), ids.day_date(FIRST_DAY + 3))  # some of it lies in one, some in days after it
APP = Filters(app="instagram")
PERIODS = (WHOLE, MIDDLE, Period(ids.day_date(FIRST_DAY + 2), ids.day_date(FIRST_DAY + 2)))

COUNTED = (
    EVERYTHING,
    Filters(source="search"),
    Filters(channel="copy"),
    Filters(source="share", channel="x"),
    Filters(page=PAGES[1]),
    Filters(device="phone"),
    Filters(device="unknown"),
    APP,
    Filters(app="facebook", device="phone"),
    Filters(app="nowhere"),
)
FROM_ROWS = (
    Filters(page=PAGES[0], channel="copy"),
    Filters(page=PAGES[2], source="share"),
    Filters(device="phone", source="share"),
    Filters(device="desktop", channel="whatsapp", source="share"),
    Filters(page=PAGES[1], device="tablet"),
    Filters(page="https://example.org/nowhere", device="tablet"),
    Filters(app="instagram", channel="copy"),
    Filters(app="instagram", page=PAGES[1], source="share"),
)


@pytest.fixture(scope="module", params=[2, 3])
async def filled(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[StoredWorld]:
    async with stored_world(databases, request.param) as filled:
        yield filled


async def test_summary_is_what_a_census_counts(filled: StoredWorld) -> None:
    differences = Differences()
    for period, filters in product(PERIODS, COUNTED + FROM_ROWS):
        answer = await period_summary(filled.reads, filled.site, period, filters)
        differences.compare((period, filters), _summarized(answer), _expected_summary(filled.world, period, filters))
    differences.check(3 * len(COUNTED + FROM_ROWS))


def _summarized(answer: metrics.Summary) -> dict[str, object]:
    """The numbers of a summary that the rows themselves can be counted for."""
    names = ("views", "visits", "visitors", "returns", "self_returns", "same_network_returns", "conversions", "value")
    shares = {
        f"shares.{name}": getattr(answer.shares, name) for name in ("total", "reported", "proven", "dark", "public")
    }
    drops, previews = sum(answer.drops.values()), sum(answer.unfurls.values())
    other = {"drops": drops, "previews": previews, "unfurls": answer.unfurls}
    return {name: getattr(answer, name) for name in names} | shares | other


def _expected_summary(world: World, period: Period, filters: Filters) -> dict[str, object]:
    found = expected_counts.chosen(world, period, filters, unlinked=filters in COUNTED)
    numbers = expected_counts.total(found)
    names = ("views", "visits", "visitors", "returns", "self_returns", "same_network_returns", "conversions")
    measures = (("total", "shares"), *((name, name) for name in ("reported", "proven", "dark", "public")))
    apps = sorted({one.app for one in found} - {""})
    return {
        **{name: numbers[name] for name in names},
        **{f"shares.{name}": numbers[measure] for name, measure in measures},
        "value": expected_counts.worth(found),
        "previews": numbers["unfurls"],
        "unfurls": {app: sum(1 for one in found if one.app == app) for app in apps},
        "drops": sum(number for (hour, _), number in world.drops.items() if hour in period.hours),
    }


async def test_counts_and_rows_agree(filled: StoredWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = (
        EVERYTHING,
        Filters(source="search"),
        Filters(channel="copy"),
        Filters(page=PAGES[1]),
        Filters(device="phone"),
        Filters(app="instagram"),
    )
    cases = list(product(asked, PERIODS))
    counted = [await _everything(filled, *case) for case in cases]
    monkeypatch.setattr("grapevine.analytics.count_tables.table_of", lambda *_: None)
    differences = Differences()
    for case, found in zip(cases, counted, strict=True):
        differences.compare(case, found, await _everything(filled, *case))
    differences.check(18)


async def _everything(filled: StoredWorld, filters: Filters, period: Period) -> dict[str, object]:
    """Everything but opted-out visits, which are in the counts alone."""
    answer = await period_summary(filled.reads, filled.site, period, filters)
    names = ("visitors", "returns", "self_returns", "shares", "same_network_returns", "unfurls", "conversions", "value")
    return {name: getattr(answer, name) for name in names}


async def test_breakdown_is_what_a_census_counts(filled: StoredWorld) -> None:
    asked = (EVERYTHING, Filters(source="share"), Filters(page=PAGES[0]), Filters(device="phone"), APP, *FROM_ROWS)
    differences = Differences()
    for by, filters, period in product(metrics.DIMENSIONS, asked, (MIDDLE, WEEK, MONTH)):
        rows = await breakdown_by(filled.reads, filled.site, by, period, filters)
        found = {
            row.key: (row.views, row.visits, row.returns, row.shares, row.proven, row.conversions, row.value)
            for row in rows
        }
        expected = _expected_breakdown(filled.world, by, filters, period)
        differences.compare((by, filters, period), found, expected)
        order = [row.visits + row.shares for row in rows]
        differences.compare((by, filters, period, "order"), order, sorted(order, reverse=True))
    differences.check(2 * 3 * len(asked) * len(metrics.DIMENSIONS))


def _expected_breakdown(world: World, by: str, filters: Filters, period: Period) -> dict[str | int, tuple[object, ...]]:
    # Where the rows themselves are read, visits without a row cannot be in it.
    found = expected_counts.chosen(world, period, filters, unlinked=_is_counted(filters, by))
    expected: dict[str | int, tuple[object, ...]] = {}
    for key in {expected_counts.key_of(one, by) for one in found} - {None}:
        mine = [one for one in found if expected_counts.key_of(one, by) == key]
        numbers = expected_counts.total(mine)
        row = tuple(numbers[name] for name in ("views", "visits", "returns", "shares", "proven", "conversions"))
        if any(row):
            expected[key or 0] = (*row, expected_counts.worth(mine))
    return expected


def test_any_period_is_weeks_mended_by_days() -> None:
    for first, length in product(range(2_450, 2_464), range(1, 45)):
        after = first + length
        weeks = weeks_of(ids.day_start(first), ids.day_start(after))
        days = Counter(
            day for week in range(weeks["from_week"], weeks["to_week"]) for day in range(7 * week, 7 * week + 7)
        )
        for end in ("front", "back"):
            for day in range(weeks[f"{end}_from"], weeks[f"{end}_to"]):
                days[day] += weeks[f"{end}_sign"]
        assert {day: times for day, times in days.items() if times} == dict.fromkeys(range(first, after), 1)
        assert sum(weeks[f"{end}_to"] - weeks[f"{end}_from"] for end in ("front", "back")) <= 7


def _is_counted(filters: Filters, by: str) -> bool:
    """Whether a count table can serve a query."""
    asked = {name for name in metrics.FILTERS if getattr(filters, name) is not None} | {by}
    return any(asked <= columns for columns in ({"channel", "source", "depth"}, {"page"}, {"device", "app"}))


async def test_an_empty_site_has_no_ratios(filled: StoredWorld) -> None:
    empty = site_of(World(site_id=99))
    answer = await period_summary(filled.reads, empty, WHOLE)
    assert (answer.visits, answer.shares.total) == (0, 0)
    assert (answer.dark_share, answer.return_share, answer.k_factor, answer.amplification) == (None, None, None, None)
    assert await breakdown_by(filled.reads, empty, "page", WHOLE) == []


async def test_breakdown_keeps_to_its_limit(filled: StoredWorld) -> None:
    every = await breakdown_by(filled.reads, filled.site, "depth", WHOLE)
    assert await breakdown_by(filled.reads, filled.site, "depth", WHOLE, limit=2) == every[:2]


REFUSED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("by", {"by": "moon"}),
    *(("limit", {"by": "page", "limit": limit}) for limit in (0, -1, 1001)),
)


async def test_refusals_name_the_field(filled: StoredWorld) -> None:
    differences = Differences()
    for field, arguments in REFUSED:
        with pytest.raises(Invalid) as caught:
            await breakdown_by(filled.reads, filled.site, period=WHOLE, **arguments)
        differences.compare(arguments, [error.field for error in caught.value.errors], [field])
    differences.check(len(REFUSED))


async def test_a_limit_cuts_the_end_off(filled: StoredWorld) -> None:
    differences = Differences()
    for by in metrics.DIMENSIONS:
        everything = await breakdown_by(filled.reads, filled.site, by, WHOLE)
        for limit in (1, 2, 3):
            rows = await breakdown_by(filled.reads, filled.site, by, WHOLE, limit=limit)
            differences.compare((by, limit), rows, everything[:limit])
    differences.check(3 * len(metrics.DIMENSIONS))
