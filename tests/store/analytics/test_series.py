"""Series against a count of every single object, and against the summary of each of their intervals."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from itertools import product
from typing import Any

import msgspec
import pytest

from grapevine.analytics.metrics import EVERYTHING, RATIOS, Filters, ReporterTotals, ShareNumbers, Summary
from grapevine.analytics.series import ALL, CHOICES, METRICS, Choice, Point, metric_series
from grapevine.analytics.summary import period_summary
from grapevine.domain import enums, ids
from grapevine.domain.periods import INTERVALS, Period, interval_start, rfc3339
from grapevine.errors import Invalid
from tests.store.analytics import expected_counts
from tests.store.analytics.stored_world import StoredWorld, stored_world
from tests.store.databases import Database, Databases
from tests.store.world import FIRST_DAY, PAGES, SITE
from tests.support.differences import Differences

pytestmark = pytest.mark.anyio

MIDDLE = Period(ids.day_date(FIRST_DAY + 1), ids.day_date(FIRST_DAY + 3))
WEEKS = Period(ids.day_date(FIRST_DAY - 1), ids.day_date(FIRST_DAY + 8))
BY_EVENTS = tuple(name for name in METRICS if name not in ("value", "drops", "suspects", "bound_hits"))
FILTERED = (
    EVERYTHING,
    Filters(channel="copy"),
    Filters(source="share", channel="x"),
    Filters(page=PAGES[1]),
    Filters(app="instagram"),
    Filters(app="instagram", channel="copy"),
    Filters(device="phone", source="share"),
)
CHOSEN: tuple[tuple[str, Choice], ...] = (
    *((metric, ALL) for metric in METRICS if metric != "value"),
    *(("value", Choice(currency=one, reported_by=by)) for one in ("EUR", "JPY", "CHF") for by in (None, "key")),
    *(("conversions", Choice(reported_by=by)) for by in enums.CONVERSION_REPORTERS),
    *(("drops", Choice(reason=reason)) for reason in enums.DROP_REASONS),
    *(("suspects", Choice(verdict=verdict)) for verdict in enums.VERDICTS),
    *(("bound_hits", Choice(bound=bound)) for bound in enums.BOUND_KINDS),
    *(("unfurls", Choice(preview=app)) for app in ("slack", "instagram")),
)  # fmt: skip


async def exceed_bounds(database: Database) -> None:
    """Events beyond several bounds, on several days."""
    for kind, day in product((0, 1, 4), range(3)):
        place = f"({SITE}, {FIRST_DAY + day}, {kind}, 1, {3 * kind + day + 1})"
        await database.change(f"INSERT INTO bound_hits (site_id, day, kind, cell, events) VALUES {place}")


@pytest.fixture(scope="module")
async def filled(databases: Databases) -> AsyncIterator[StoredWorld]:
    async with stored_world(databases, 3, exceed_bounds) as filled:
        yield filled


def places(struct: Any, above: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """The place of every number of a summary; numbers under a key are at the place of their mapping."""
    for field in msgspec.structs.fields(struct):
        if field.type is ShareNumbers:
            yield from places(ShareNumbers, (*above, field.name))
        elif field.type == dict[str, ReporterTotals]:
            assert set(ReporterTotals.__struct_fields__) == {
                metric for metric, chosen in CHOSEN if chosen.reported_by is not None
            }
        else:
            yield (*above, field.name)


def test_every_number_of_the_summary_has_a_series() -> None:
    found = list(places(Summary))
    assert sorted(METRICS.values()) == sorted(found)
    fields = {field.name: field.type for field in msgspec.structs.fields(Summary)}
    keyed = {name for name, kind in fields.items() if getattr(kind, "__origin__", None) is dict} - {"conversions_by"}
    assert keyed | {"conversions"} == {metric for takers in CHOICES.values() for metric in takers}


def test_every_choice_is_compared() -> None:
    compared = {(name, metric) for metric, chosen in CHOSEN for name in CHOICES if getattr(chosen, name) is not None}
    assert compared == {(name, metric) for name, takers in CHOICES.items() for metric in takers}


def told(summary: Summary, metric: str, choice: Choice) -> object:
    """What a summary says of a metric and a choice."""
    found: Any = summary
    if choice.reported_by is not None:
        found = summary.conversions_by[choice.reported_by]
        if metric == "conversions":
            return found.conversions
        return found.value.get(choice.currency, "0.00")
    for name in METRICS[metric]:
        found = getattr(found, name)
    if not isinstance(found, dict):
        return found
    if metric == "value":
        return found.get(choice.currency, "0.00")
    chosen = choice.reason or choice.verdict or choice.bound or choice.preview
    return sum(found.values()) if chosen is None else found.get(chosen, 0)


def intervals(interval: str, period: Period) -> dict[str, Period]:
    """The days of a period that are in each interval, by its start."""
    days: dict[int, list[int]] = {}
    for day in period.days:
        days.setdefault(interval_start(ids.day_start(day), interval), []).append(day)
    return {rfc3339(at): Period(ids.day_date(several[0]), ids.day_date(several[-1])) for at, several in days.items()}


async def test_each_point_is_the_summary_of_its_interval(filled: StoredWorld) -> None:
    differences, seen = Differences(), set()
    for filters in FILTERED:
        summaries: dict[Period, Summary] = {}
        for interval in ("day", "week", "month"):
            expected = intervals(interval, WEEKS)
            for part in expected.values():
                if part not in summaries:
                    summaries[part] = await period_summary(filled.reads, filled.site, part, filters)
            for metric, choice in CHOSEN:
                points = await metric_series(filled.reads, filled.site, metric, interval, WEEKS, filters, choice)
                says = {at: told(summaries[part], metric, choice) for at, part in expected.items()}
                differences.compare((filters, interval, metric, choice), {one.at: one.value for one in points}, says)
                seen |= {metric for one in points if one.value not in (0, None, "0.00")}
    differences.check(3 * len(FILTERED) * len(CHOSEN))
    assert seen == set(METRICS)


async def test_each_point_is_what_a_census_counts(filled: StoredWorld) -> None:
    differences = Differences()
    asked = (EVERYTHING, Filters(page=PAGES[1]), Filters(device="phone", source="share"), Filters(app="instagram"))
    for interval, filters in product(INTERVALS, asked):
        by_the_hour = interval == "hour" and filters != EVERYTHING
        unlinked = not by_the_hour and filters.device is None
        counted = expected_counts.chosen(filled.world, MIDDLE, filters, unlinked=unlinked)
        by_interval = expected_counts.by_interval(counted, interval, MIDDLE)
        for metric in BY_EVENTS:
            points = await metric_series(filled.reads, filled.site, metric, interval, MIDDLE, filters)
            expected = [(at, expected_counts.number(found, metric)) for at, found in by_interval.items()]
            differences.compare((interval, metric, filters), [(one.at, one.value) for one in points], expected)
        for currency in ("EUR", "JPY"):
            amounts = await metric_series(
                filled.reads, filled.site, "value", interval, MIDDLE, filters, Choice(currency=currency)
            )
            worth = [
                Point(at=at, value=expected_counts.worth(found).get(currency, "0.00"), currency=currency)
                for at, found in by_interval.items()
            ]
            differences.compare((interval, currency, filters), amounts, worth)
    differences.check(len(INTERVALS) * len(asked) * (len(BY_EVENTS) + 2))


async def test_hours_hold_what_their_day_holds(filled: StoredWorld) -> None:
    differences = Differences()
    asked = [
        *((metric, ALL) for metric in METRICS if metric not in (*RATIOS, "dark_share", "value", "bound_hits")),
        ("drops", Choice(reason="robot")),
        ("unfurls", Choice(preview="slack")),
    ]
    filtered = (EVERYTHING, Filters(channel="copy"), Filters(app="instagram"))
    for (metric, choice), filters in product(asked, filtered):
        hours = await metric_series(filled.reads, filled.site, metric, "hour", MIDDLE, filters, choice)
        days = await metric_series(filled.reads, filled.site, metric, "day", MIDDLE, filters, choice)
        added = [sum(int(one.value or 0) for one in hours[start : start + 24]) for start in range(0, 72, 24)]
        differences.compare((metric, choice, filters), added, [one.value for one in days])
    differences.check(len(asked) * len(filtered))
    _, refused = next(iter(filled.world.drops))
    found = await metric_series(filled.reads, filled.site, "drops", "hour", WEEKS, choice=Choice(reason=refused))
    drops = {rfc3339(hour * ids.HOUR_MS): n for (hour, reason), n in filled.world.drops.items() if reason == refused}
    assert {one.at: one.value for one in found if one.value} == drops


async def test_amounts_of_one_currency_need_no_choice(filled: StoredWorld) -> None:
    one_day = Period(ids.day_date(FIRST_DAY - 30), ids.day_date(FIRST_DAY - 30))
    assert await metric_series(filled.reads, filled.site, "value", "day", one_day) == [
        Point(at=rfc3339(one_day.start), value="0.00")
    ]
    with pytest.raises(Invalid) as caught:
        await metric_series(filled.reads, filled.site, "value", "day", WEEKS)
    assert [error.field for error in caught.value.errors] == ["currency"]
    assert "EUR" in caught.value.errors[0].detail
    assert "JPY" in caught.value.errors[0].detail


REFUSED: tuple[tuple[str, dict[str, Any]], ...] = (
    ("metric", {"metric": "moons", "interval": "day"}),
    ("interval", {"metric": "visits", "interval": "fortnight"}),
    ("interval", {"metric": "bound_hits", "interval": "hour"}),
    *(
        (name, {"metric": metric, "interval": "day", "choice": Choice(**{name: value})})
        for name, value in (
            ("currency", "EUR"), ("reported_by", "key"), ("reason", "robot"), ("verdict", "driven"), ("bound", "apps"),
            ("preview", "slack"),
        )
        for metric in METRICS
        if metric not in CHOICES[name]
    ),
)  # fmt: skip


async def test_refusals_name_the_field(filled: StoredWorld) -> None:
    differences = Differences()
    for field, arguments in REFUSED:
        with pytest.raises(Invalid) as caught:
            await metric_series(filled.reads, filled.site, period=WEEKS, **arguments)
        differences.compare(arguments, [error.field for error in caught.value.errors], [field])
    differences.check(len(REFUSED))


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("currency", "EURO"), ("currency", ""), ("currency", "E1R"), ("currency", "ÄÖÜ"), ("currency", "ZZZ"),
        ("currency", "dem"), ("reported_by", "friend"),
        ("reason", "mood"), ("verdict", "guilty"), ("bound", "sky"), ("preview", ""), ("preview", "a\0"),
        ("preview", "x" * 257),
    ],
)  # fmt: skip
def test_what_cannot_be_chosen_is_named(name: str, value: str) -> None:
    with pytest.raises(Invalid) as caught:
        Choice(**{name: value})
    assert [error.field for error in caught.value.errors] == [name]


async def test_a_series_has_at_most_ten_thousand_points(filled: StoredWorld) -> None:
    years = Period(ids.day_date(0), ids.day_date(1_000))
    with pytest.raises(Invalid):
        await metric_series(filled.reads, filled.site, "visits", "hour", years)
    assert len(await metric_series(filled.reads, filled.site, "visits", "day", years)) == 1_001
