"""The simulated world: one seed one world, a truth that fits together, shapes that are plausible."""

from __future__ import annotations

import json
from collections import Counter
from itertools import product
from pathlib import Path
from random import Random
from typing import Any

import httpx
import pytest

from grapevine.collect.sources import source_of
from grapevine.collect.user_agents import read_agent
from grapevine.domain import ids
from grapevine.domain.channels import CODES
from grapevine.domain.enums import DEVICE_NAMES, SOURCE_NAMES, SOURCES
from grapevine.domain.urls import Page
from grapevine.errors import GrapevineError, Invalid
from grapevine.simulate import behaviour, people, random_draws
from grapevine.simulate.expected import ExpectedResults
from grapevine.simulate.parameters import Parameters
from grapevine.simulate.player import Player, Target, damaged, origin_of_site
from grapevine.simulate.report import NumberComparison, SetComparison, summarize_world
from grapevine.simulate.requests import (
    SimulatedClick,
    SimulatedConversion,
    SimulatedRequest,
    SimulatedShare,
    SimulatedView,
    SimulatedVisit,
)
from grapevine.simulate.truth import Link, Truth
from grapevine.simulate.world import START, World
from tests.support.differences import Differences
from tests.web.conftest import NOON

ORIGIN = "https://a.example"


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
    assert {"typed", "bookmark", "search", "social", "referral", "campaign", "email", "share"} == {
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


def test_browsers_are_read_as_what_they_are() -> None:
    agents = [*(agent for _, agent in people.BROWSERS), *people.IN_APP.values()]
    differences = Differences()
    for agent in agents:
        read = read_agent(agent.text)
        found = read.robot, read.suspect, DEVICE_NAMES[read.device], read.app
        differences.compare(agent, found, (False, False, agent.device, agent.app))
    differences.check(len(agents))


def test_robots_are_read_as_what_they_are() -> None:
    for agent in people.CRAWLERS:
        assert read_agent(agent.text).robot
        assert read_agent(agent.text).preview is None
    for app, text in people.PREVIEWERS.items():
        assert read_agent(text).preview == app
    assert read_agent(people.DRIVEN.text).suspect


def test_arrivals_are_read_as_what_they_are() -> None:
    ways = [
        *(way for _, way in behaviour.ARRIVALS),
        *(way for place in behaviour.DESTINATIONS.values() for _, way in place.ways),
    ]
    differences = Differences()
    for way, is_home in product(ways, (True, False)):
        agent = people.IN_APP[way.inside] if way.inside else people.BROWSERS[0][1]
        url = f"{ORIGIN}/{'' if is_home else 'deep/page'}{'?' if way.query else ''}{way.query}"
        origin = source_of(Page(1, url, is_home), url, way.referrer, agent.app, frozenset({ORIGIN}))
        found = SOURCE_NAMES[origin.source], origin.app
        differences.compare((way, is_home), found, behaviour.shown(way, agent, is_home))
    differences.check(2 * len(ways))


def test_draws_have_the_means_they_are_asked_for() -> None:
    random = Random(1)  # noqa: S311
    assert abs(sum(random_draws.poisson(random, 3) for _ in range(5_000)) / 5_000 - 3) < 0.15
    assert abs(sum(random_draws.poisson(random, 120) for _ in range(500)) / 500 - 120) < 3
    opened = [random_draws.openings(random, 1.5) for _ in range(8_000)]
    assert abs(sum(opened) / 8_000 - 1.5) < 0.12
    assert 0.4 < opened.count(0) / 8_000 < 0.6
    assert random_draws.openings(random, 0) == 0
    at, arrived = START, 0
    while (at := random_draws.next_arrival(random, at, 50)) < START + 40 * ids.DAY_MS:
        arrived += 1
    assert abs(arrived / 40 - 50) < 4
    late = sorted(random_draws.delay(random, START + 12 * ids.HOUR_MS) - START - 12 * ids.HOUR_MS for _ in range(2_000))
    assert 2 * ids.HOUR_MS < late[1_000] < 6 * ids.HOUR_MS
    assert late[-1] > 2 * ids.DAY_MS


@pytest.mark.parametrize(
    ("field", "value"),
    [("k", -1), ("k", 2), ("lost", 1.5), ("visits", 0), ("pages", 1), ("days", 0), ("retried", -0.1)],
)
def test_worlds_that_cannot_be(field: str, value: float) -> None:
    with pytest.raises(Invalid, match=field):
        Parameters(**{field: value})  # type: ignore[arg-type]


def test_a_truth_can_be_read_again(tmp_path: Path) -> None:
    world, _ = happened(9, visits=200)
    path = tmp_path / "truth.ndjson"
    world.truth.write(path)
    read = Truth.read(path)
    assert list(read.lines()) == list(world.truth.lines())
    kinds = [json.loads(line)["kind"] for line in path.read_text("utf-8").splitlines()]
    assert list(dict.fromkeys(kinds)) == ["play", "visit", "share", "end"]

    lines = path.read_text("utf-8").splitlines(keepends=True)
    path.write_text("".join(lines[:-1]), "utf-8")
    with pytest.raises(GrapevineError, match="not a whole truth"):
        Truth.read(path)
    path.write_text("".join([*lines[:2], "{}\n"]), "utf-8")
    with pytest.raises(GrapevineError, match="line 3, is no line of a truth"):
        Truth.read(path)
    with pytest.raises(GrapevineError, match="cannot be read"):
        Truth.read(tmp_path / "nowhere")
    with pytest.raises(GrapevineError, match="cannot be written"):
        world.truth.write(tmp_path / "nowhere" / "truth")


def test_what_a_server_ought_to_conclude() -> None:
    truth = Truth(World(1, Parameters()).truth.play)
    template = happened(9, visits=30)[0].truth.visits[0]

    def add(**facts: Any) -> None:
        fields = {name: getattr(template, name) for name in template.__struct_fields__}
        fields |= {
            "number": len(truth.visits),
            "way": "share",
            "source": "direct-deep",
            "app": None,
            "opted_out": False,
        }
        truth.visits.append(type(template)(**fields | facts))

    came = {"channel": "copy", "n": 0}
    add()
    add(parent=0, token="kept", depth=1, **came)
    add(parent=1, token="kept", depth=1, own=True, **came)
    add(parent=2, token="kept", depth=2, **came)
    add(parent=0, token="stripped", depth=1, **came)
    add(parent=4, token="kept", depth=2, **came)
    add(parent=0, token="damaged", depth=1, **came)
    add(parent=0, token="kept", depth=1, opted_out=True, **came)
    add(parent=0, token="kept", human=False, robot="replay", **came)
    expected = ExpectedResults(truth)
    seen = {number: (one.parent and one.parent.number, one.depth, one.root) for number, one in expected.found.items()}
    assert seen == {
        0: (None, 0, 0), 1: (0, 1, 0), 2: (1, 1, 0), 3: (2, 2, 0), 4: (None, 0, 4), 5: (4, 1, 4), 6: (None, 0, 6),
    }  # fmt: skip
    assert expected.cascades == {0: (3, 2), 4: (2, 1)}
    assert (expected.numbers["visits"], expected.numbers["returns"], expected.numbers["self_returns"]) == (8, 3, 1)
    assert expected.numbers["k_factor"] == 3 / 7
    assert expected.parts["source"] == {"direct-deep": 4, "share": 4}


def test_precision_and_recall() -> None:
    assert SetComparison.of({1, 2, 3, 4}, {1, 2, 5}) == SetComparison(4, 3, 2, 2 / 3, 0.5)
    assert not SetComparison.of({1, 2}, {1}).good
    assert not SetComparison.of({1}, {1, 2}).good
    assert SetComparison.of(set(range(2_000)), set(range(1, 2_000))).good
    nothing: SetComparison = SetComparison.of(set(), set())
    assert (nothing.precision, nothing.recall, nothing.good) == (None, None, True)
    assert NumberComparison.of(3, 2) == NumberComparison(3, 2, -1)
    assert NumberComparison.of(None, None).good
    assert not NumberComparison.of(None, 0).good


def test_a_damaged_token_is_another_one() -> None:
    for index in range(23):
        changed = damaged("z" * 23, index)
        assert changed != "z" * 23
        assert len(changed) == 23


@pytest.mark.anyio
async def test_the_player_makes_the_same_requests_in_the_same_order() -> None:
    async def requests() -> list[tuple[str, str, bytes]]:
        made = []

        def answer(request: httpx.Request) -> httpx.Response:
            made.append((request.method, str(request.url), request.read()))
            if request.method == "GET":
                return httpx.Response(302)
            body = json.loads(request.content)
            if request.url.path == "/v1/shares":
                return httpx.Response(200, json={"next": f"{body['token'][:-1]}+"})
            named = body.get("nonce", "")
            if "Sec-GPC" in request.headers or "bot" in request.headers["User-Agent"].lower():
                return httpx.Response(202, json={"visit": None, "session": None, "tokens": {}})
            tokens = {channel: f"{named}{channel:>24}" for channel in body.get("channels", ())}
            return httpx.Response(200, json={"visit": named, "session": f"s-{named}", "tokens": tokens})

        world = World(6, Parameters(visits=300))
        async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://a") as client:
            await Player(client, Target("site", ORIGIN), world, lambda: NOON).play()
        assert len(made) == world.truth.requests
        return made

    first = await requests()
    assert first == await requests()
    posts = [json.loads(body) for method, _, body in first if method == "POST"]
    assert {body["site"] for body in posts} == {"site"}
    assert {body["day"] for body in posts if "day" in body} == {ids.day_date(ids.day_at(NOON)).isoformat()}


@pytest.mark.anyio
async def test_a_server_names_the_origin_of_a_site_or_says_why_not() -> None:
    def answer(request: httpx.Request) -> httpx.Response:
        if json.loads(request.content)["site"] == "site":
            return httpx.Response(
                403, json={"detail": f"which is not an origin of this site ({ORIGIN}, https://b.example)."}
            )
        return httpx.Response(404, json={"detail": "No site of this server has that key."})

    async with httpx.AsyncClient(transport=httpx.MockTransport(answer), base_url="http://a") as client:
        assert await origin_of_site(client, "site") == ORIGIN
        with pytest.raises(GrapevineError, match="No site of this server"):
            await origin_of_site(client, "other")
