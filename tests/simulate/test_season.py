"""Seasons: weekdays, spells of sharing, surges, an end; and the demo's past on each day of the week."""

from __future__ import annotations

from collections import Counter
from random import Random

import pytest
from msgspec.structs import replace

from grapevine.analytics.models.dark_evidence.estimate import estimate_dark_visits
from grapevine.analytics.models.dark_evidence.inputs import PageSeries
from grapevine.demo.links import demo_world_with_links
from grapevine.domain import ids
from grapevine.simulate.answers import answer_of
from grapevine.simulate.expected import ExpectedResults
from grapevine.simulate.parameters import Parameters
from grapevine.simulate.people import person
from grapevine.simulate.presets import DEMO_PAGES, demo_history
from grapevine.simulate.requests import SimulatedRequest
from grapevine.simulate.season import MOST_BUSY, Season, SharingWaves, Surge, weekly
from grapevine.simulate.world import START, World
from tests.accuracy.demo_worlds import direct_visits

WEEK = (1.05, 1.1, 1.1, 1.05, 0.95, 0.75, 1.0)
NOW = START + 40 * ids.DAY_MS + 5 * 60_000  # five past midnight
PATHS = tuple(page.path for _, page in DEMO_PAGES)


def draws() -> Random:
    return Random(1)  # noqa: S311


def test_a_week_has_its_days_and_a_season_its_growth() -> None:
    busy = weekly(WEEK, START, 28, 0.0)
    days = [busy(START + day * ids.DAY_MS + 1) for day in range(7)]
    assert days == pytest.approx([factor / (sum(WEEK) / 7) for factor in WEEK])
    assert sum(days) / 7 == pytest.approx(1)
    rising = weekly((1,) * 7, START, 28, 0.5)
    assert rising(START) == pytest.approx(0.75)
    assert rising(START + 28 * ids.DAY_MS) == pytest.approx(1.25)
    assert weekly((1, 1, 1, 1, 1, 1, 50), START, 28, 0.5)(START + 27 * ids.DAY_MS) == MOST_BUSY


def test_spells_of_sharing_leave_the_average_where_it_was() -> None:
    days = 3_000
    waves = SharingWaves(draws(), ["/a", "/b"], START, days, loud=6.0, quiet=0.05)
    for path in ("/a", "/b"):
        factors = [waves(path, START + day * ids.DAY_MS, 0) for day in range(days)]
        assert set(factors) == {0.05, 6.0}
        assert 0.8 < sum(factors) / days < 1.25
        assert {waves(path, START + day * ids.DAY_MS, 1) for day in range(days)} == {1.0}


def test_a_surge_arouses_its_page_for_a_while() -> None:
    waves = SharingWaves(draws(), ["/a", "/b"], START, 10, loud=6.0, quiet=0.05)
    surge = Surge(START + ids.DAY_MS, "/a", "reddit", "reddit", 10, 1)
    waves.arouse(surge, ids.DAY_MS, 2.0)
    assert [waves("/a", surge.at + ids.DAY_MS * part // 2, depth) for part, depth in ((0, 0), (1, 3), (2, 3))] == [
        2,
        2,
        1,
    ]
    assert waves("/b", surge.at, 3) == 1


def test_a_season_ends_on_time_and_with_its_last_arrivals() -> None:
    until = START + 2 * ids.DAY_MS
    world = World(3, Parameters(visits=200, days=2), season=Season(until=until, last_arrivals=(until - 10, until)))
    requests = list(world.requests())
    assert max(request.at for request in requests) == until
    assert world.truth.visits[-1].at.endswith("00:00:00.000Z")
    assert 100 < sum(visit.human for visit in world.truth.visits) < 300


def test_a_day_that_has_just_begun_has_visits_and_so_has_each_before() -> None:
    world = demo_history(NOW, 30)
    assert all(request.at <= NOW for request in world.requests())
    days = Counter(visit.at[:10] for visit in world.truth.visits if visit.human)
    assert len(days) == 30
    assert days[ids.day_date(ids.day_at(NOW)).isoformat()] >= 3


@pytest.mark.parametrize("days", [1, 2, 7])
def test_a_short_past(days: int) -> None:
    world = demo_history(NOW + 12 * ids.HOUR_MS, days)
    assert {request.at >= world.start for request in world.requests()} == {True}
    assert len({visit.at[:10] for visit in world.truth.visits if visit.human}) == days


@pytest.mark.slow
@pytest.mark.parametrize("weekday", range(7))
def test_each_day_of_the_week_has_a_cascade_to_look_at(weekday: int) -> None:
    world = demo_history(NOW + weekday * ids.DAY_MS, 30)
    assert sum(1 for _ in world.requests()) < 40_000
    results = ExpectedResults(world.truth)
    size, depth = max(results.cascades.values())
    assert size > 100
    assert depth > 6
    assert 9_000 < len(results.found) < 16_000
    assert_the_estimate_holds(*direct_visits(results, world.start))


@pytest.mark.slow
@pytest.mark.parametrize("weekday", range(7))
def test_the_readers_of_links_change_nothing_else(weekday: int) -> None:
    now = NOW + weekday * ids.DAY_MS
    alone, linked = demo_history(now, 30), demo_world_with_links(demo_history(now, 30), now)
    played = {_who_and_when(request) for request in linked.requests()}
    assert played > {_who_and_when(request) for request in alone.requests()}
    links = {link.made.visit for link in linked.links}
    results = ExpectedResults(linked.truth)
    assert results.found.keys().isdisjoint(links)
    assert {results.cascades[link][0] > 0 for link in links} == {True}
    assert_the_estimate_holds(*direct_visits(results, linked.start, links))


def _who_and_when(request: SimulatedRequest) -> tuple[int, str, str]:
    return request.at, request.who.address, type(request).__name__


def assert_the_estimate_holds(of: int, dark: int, pages: list[PageSeries]) -> None:
    total = estimate_dark_visits(pages).total
    assert total is not None
    assert 0 < total.low < dark < total.high < of


def test_answers_are_true_to_how_somebody_came() -> None:
    world = World(5, replace(Parameters(visits=400), answers=1.0, opted_out=0.0))
    list(world.requests())
    answered = [visit for visit in world.truth.visits if visit.answers]
    assert len(answered) > 350
    assert not any(visit.answers for visit in world.truth.visits if not visit.human)
    german = person(draws())._replace(language="de-DE,de;q=0.9,en;q=0.6")
    mailed = next(visit for visit in answered if visit.place == "email")
    assert "gemailt" in answer_of(draws(), mailed, german)
    assert answer_of(draws(), mailed, german._replace(language="en-GB,en;q=0.9")).isascii()


def test_nobody_answers_unless_asked() -> None:
    world = World(5, Parameters(visits=200))
    list(world.requests())
    assert not any(visit.answers for visit in world.truth.visits)
