"""The simulated world: one seed one world, a truth that fits together, shapes that are plausible."""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from grapevine.domain import ids
from grapevine.domain.channels import CODES
from grapevine.domain.enums import SOURCES
from grapevine.simulate.expected import ExpectedResults
from grapevine.simulate.parameters import Parameters
from grapevine.simulate.report import summarize_world
from grapevine.simulate.requests import (
    SimulatedClick,
    SimulatedConversion,
    SimulatedRequest,
    SimulatedShare,
    SimulatedView,
    SimulatedVisit,
)
from grapevine.simulate.truth import Link
from grapevine.simulate.world import START, World


def happened(seed: int, **rates: Any) -> tuple[World, list[SimulatedRequest]]:
    """A world that has come to its end, and the requests it made."""
    world = World(seed, Parameters(**rates))
    return world, list(world.requests())


@pytest.fixture(scope="module")
def long() -> tuple[World, list[SimulatedRequest]]:
    return happened(7, visits=20_000, days=30)


def test_one_seed_one_world(tmp_path: Path) -> None:
    (first, requests), (second, repeated) = happened(3), happened(3)
    assert requests == repeated
    first.truth.write(tmp_path / "first")
    second.truth.write(tmp_path / "second")
    assert (tmp_path / "first").read_bytes() == (tmp_path / "second").read_bytes()
    assert happened(4)[1] != requests


def test_as_many_people_as_asked_for(long: tuple[World, list[SimulatedRequest]]) -> None:
    world, requests = long
    assert sum(visit.human for visit in world.truth.visits) == 20_000
    assert len(requests) == world.truth.requests
    assert [action.at for action in requests] == sorted(action.at for action in requests)
    weeks = (requests[-1].at - START) / ids.DAY_MS
    assert 25 < weeks < 40


def test_most_cascades_die_within_one_hop_and_a_few_go_deep(long: tuple[World, list[SimulatedRequest]]) -> None:
    world = summarize_world(long[0].truth)
    assert 0.22 < world.shared / world.visits < 0.4  # k = 0.3
    firsts = world.visits - world.shared
    assert (firsts - world.cascades + world.one_hop) / firsts > 0.95  # Goel, Watts, Goldstein 2012
    assert 0.65 < world.one_hop / world.cascades < 0.92
    assert world.deepest >= 5
    assert world.largest >= 20
    assert 0.03 < world.dark / world.visits < 0.15


def test_k_sets_how_much_grows() -> None:
    few, many = (summarize_world(happened(5, visits=6_000, k=k)[0].truth) for k in (0.1, 0.5))
    assert few.shared < 0.15 * few.visits
    assert many.shared > 0.35 * many.visits
    assert summarize_world(happened(5, visits=200, k=0)[0].truth).shared == 0


def test_goals_are_reached_once_each_and_followed_people_alone_reach_them() -> None:
    world, requests = happened(5, visits=1_000, conversions=0.2)
    reached = {action.nonce: action for action in requests if isinstance(action, SimulatedConversion)}
    assert len(reached) == sum(len(visit.goals) for visit in world.truth.visits)
    assert 120 < len(reached) < 280
    assert all((goal.currency is None) == (goal.value is None) for goal in reached.values())
    assert not any(visit.goals and (visit.opted_out or not visit.human) for visit in world.truth.visits)
    numbers = ExpectedResults(world.truth).numbers
    assert numbers["conversions"] == len(reached)
    assert numbers["value.EUR"] == pytest.approx(
        sum(float(goal.value or 0) for goal in reached.values() if goal.currency == "EUR")
    )


def test_pages_are_popular_unequally(long: tuple[World, list[SimulatedRequest]]) -> None:
    read = Counter(visit.page for visit in long[0].truth.visits if visit.human and visit.parent is None)
    assert read.most_common(1)[0][0] == "/"
    ordered = [count for _, count in read.most_common()]
    assert sum(ordered[:12]) > 0.35 * sum(ordered)
    assert len(ordered) > 100


def test_people_sleep(long: tuple[World, list[SimulatedRequest]]) -> None:
    hours = Counter(int(visit.at[11:13]) for visit in long[0].truth.visits if visit.human)
    assert sum(hours[hour] for hour in (1, 2, 3, 4)) * 4 < sum(hours[hour] for hour in (18, 19, 20, 21))


def test_the_truth_fits_together(long: tuple[World, list[SimulatedRequest]]) -> None:
    truth = long[0].truth
    shared = set()
    for visit in truth.visits:
        assert (visit.robot is None) == visit.human
        assert visit.source in SOURCES
        if visit.parent is None:
            assert (visit.token, visit.channel, visit.depth, visit.own) == (None, None, 0, False)
            continue
        parent = truth.visits[visit.parent]
        assert parent.number < visit.number
        assert parent.at < visit.at
        assert parent.human
        assert not (visit.token and parent.opted_out)
        if visit.human:
            assert visit.depth == parent.depth + (not visit.own)
        if visit.link:
            assert visit.link in truth.shares
            shared.add(visit.link)
        assert not (visit.dark and visit.token == "kept")
    for link, share in truth.shares.items():
        assert Link(share.visit, share.channel, share.n) == link
        assert share.channel in CODES
        assert share.acts == share.lost + share.reports
    lost = sum(share.lost for share in truth.shares.values()) / sum(share.acts for share in truth.shares.values())
    assert 0.07 < lost < 0.13
    assert len(shared) > 100


def test_everything_that_may_go_wrong_does(long: tuple[World, list[SimulatedRequest]]) -> None:
    world, requests = long
    people = [visit for visit in world.truth.visits if visit.human]
    assert {visit.token for visit in people} == {None, "kept", "stripped", "damaged"}
    assert {visit.robot for visit in world.truth.visits} == {None, "crawler", "scanner", "replay", "driven"}
    assert {"typed", "bookmark", "search", "assistant", "social", "referral", "campaign", "email", "share"} == {
        visit.way for visit in people
    }
    arrivals = Counter(action.nonce for action in requests if isinstance(action, SimulatedVisit | SimulatedView))
    assert 0.01 < sum(count > 1 for count in arrivals.values()) / len(arrivals) < 0.03
    assert {type(action) for action in requests} == {SimulatedVisit, SimulatedView, SimulatedShare, SimulatedClick}
    opened: set[Link] = set()
    overtaken = 0
    for action in requests:
        if isinstance(action, SimulatedVisit) and action.link is not None:
            opened.add(action.link)
        overtaken += isinstance(action, SimulatedShare) and action.link in opened
    assert overtaken > 10
    assert any(share.unfurls for share in world.truth.shares.values())
    assert any(action.link.n > 0 for action in requests if isinstance(action, SimulatedShare))
