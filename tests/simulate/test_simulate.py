"""A world with known truth, played against the whole server: what it concludes is what happened."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest
from msgspec.structs import replace

from grapevine.cli import main
from grapevine.errors import GrapevineError
from grapevine.serving.app import system_clock
from grapevine.simulate.parameters import Parameters
from grapevine.simulate.player import Player, Target, origin_of_site, player_client
from grapevine.simulate.report import ComparisonReport, NumberComparison, RobotComparison, SetComparison, check
from grapevine.simulate.truth import Truth
from grapevine.simulate.world import START, World
from grapevine.sites.api_keys import add_key
from grapevine.sites.management import find_site
from tests.support.in_process_server import NOON, ORIGIN, Server

HARD = Parameters(lost=0.2, retried=0.05, late=0.3, suspects=0, conversions=0.05)
SOCKET = pytest.mark.parametrize("server", ["socket"], indirect=True)


async def key_of(server: Server) -> str:
    """An API key that may read."""
    site = await find_site(server.store.sites, server.site)
    return (await add_key(server.store.api_keys, [site], "read", "simulate", NOON)).secret


async def play(server: Server, world: World, at: Callable[[int], None] | None = None) -> ComparisonReport:
    """Plays it and checks it."""
    if server.url is None:
        await Player(server.http, Target(server.site, ORIGIN), world, server.clock, at).play()
    else:
        async with player_client(server.url) as client:
            await Player(client, Target(server.site, ORIGIN), world, server.clock, at).play()
    return await check(world.truth, server.api(await key_of(server)))


def along(server: Server) -> Callable[[int], None]:
    """Moves the server's clock to simulated time."""

    def move(now: int) -> None:
        server.clock.now = now

    return move


def faults(report: ComparisonReport) -> dict[str, Any]:
    """Everything that is not as it happened."""
    compared: dict[str, SetComparison | NumberComparison | RobotComparison]
    compared = {**report.qualities, **report.numbers, "robots": report.robots}
    compared |= {f"{by} {name}": number for by, numbers in report.parts.items() for name, number in numbers.items()}
    return {name: one for name, one in compared.items() if not one.good}


@SOCKET
async def test_the_server_says_what_happened_at_once(server: Server) -> None:
    report = await play(server, World(11, replace(HARD, visits=1_200)))
    assert faults(report) == {}
    assert report.clean
    parents = report.qualities["parents"]
    assert parents.precision == parents.recall == 1
    assert parents.true > 150
    assert report.qualities["self_returns"].true > 5
    assert report.numbers["same_network_returns"].expected
    assert report.robots.refused == report.robots.true > 30
    assert report.robots.stored == report.robots.counted == report.robots.people_refused == 0


@SOCKET
async def test_the_server_says_what_happened_over_weeks(server: Server) -> None:
    world = World(12, replace(HARD, visits=600, days=20))
    report = await play(server, world, along(server))
    assert faults(report) == {}
    assert server.clock.now > START + 14 * 86_400_000
    days = {visit.served.day for visit in world.truth.visits if visit.served}
    assert len(days) > 14


async def test_people_behind_one_address(server: Server) -> None:
    report = await play(server, World(13, replace(HARD, visits=500, addresses=False)))
    assert faults(report) == {}
    assert (report.numbers["visitors"].expected or 0) < 100


@SOCKET
async def test_the_truth_distinguishes_robots_that_pretend_to_be_people(server: Server) -> None:
    world = World(14, Parameters(visits=400, sharing=0.6, suspects=4))
    report = await play(server, world)
    kinds = {visit.robot for visit in world.truth.visits}
    assert kinds == {None, "crawler", "scanner", "replay", "driven"}
    assert report.robots.stored == sum(visit.robot not in (None, "crawler") for visit in world.truth.visits)
    assert report.robots.refused + report.robots.stored == report.robots.true
    assert report.qualities["parents"].good


@SOCKET
async def test_a_check_finds_what_is_wrong(server: Server) -> None:
    world = World(15, Parameters(visits=200, sharing=0.6, suspects=0))
    assert (await play(server, world)).clean
    truth = world.truth
    parents = {visit.parent for visit in truth.visits}
    returned = next(
        visit
        for visit in truth.visits
        if visit.human and visit.link and not (visit.own or visit.opted_out or visit.number in parents)
    )
    returned.token = "stripped"
    truth.visits[0].views += 1
    report = await check(truth, server.api(await key_of(server)))
    assert not report.clean
    links = report.qualities["parents"]
    assert links.found == links.right + 1
    assert links.precision is not None
    assert links.precision < 1
    assert report.numbers["views"].error == -1
    assert report.numbers["returns"].error == 1


async def test_a_wrong_key_and_a_truth_that_was_not_played(server: Server) -> None:
    world = World(1, Parameters(visits=5))
    with pytest.raises(GrapevineError, match="nothing of this truth was played"):
        await check(world.truth, server.api("nobody"))
    await Player(server.http, Target(server.site, ORIGIN), world, server.clock).play()
    with pytest.raises(GrapevineError, match="401 unauthorized"):
        await check(world.truth, server.api("nobody"))


async def test_a_server_that_refuses_or_is_away(server: Server) -> None:
    world = World(1, Parameters(visits=5))
    with pytest.raises(GrapevineError, match="POST /v1/visits was answered 403"):
        await Player(server.http, Target(server.site, "https://b.example"), world, server.clock).play()
    async with httpx.AsyncClient(base_url="http://127.0.0.1:9", trust_env=False) as nowhere:
        with pytest.raises(GrapevineError, match="the server did not answer"):
            await origin_of_site(nowhere, server.site)
        with pytest.raises(GrapevineError, match="the server did not answer"):
            await Player(nowhere, Target(server.site, ORIGIN), world, server.clock).play()


@SOCKET
async def test_from_the_command_line(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert server.url is not None
    truth, key = tmp_path / "truth.ndjson", tmp_path / "key"
    key.write_text(await key_of(server), "utf-8")
    server.clock.now = system_clock()
    arguments = ["simulate", "--server", server.url, "--site", server.site, "--seed", "5", "--visits", "150"]
    arguments += ["--suspects", "0", "--lost", "0.2", "--truth", str(truth)]
    monkeypatch.setenv("GRAPEVINE_DATABASE", server.state.settings.database)
    assert await asyncio.to_thread(main, [*arguments, "--json"]) == 0
    played = json.loads(capsys.readouterr().out)
    assert played["world"]["visits"] == 150
    assert Truth.read(truth).play.parameters.lost == 0.2

    checking = ["simulate", "--check", str(truth), "--key-file", str(key)]
    assert await asyncio.to_thread(main, [*checking, "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["clean"] is True
    assert await asyncio.to_thread(main, checking) == 0
    shown = capsys.readouterr().out
    assert "parents" in shown
    assert "The server says what happened." in shown

    await server.visit()
    assert await asyncio.to_thread(main, checking) == 1
    assert "The server is off where ✗ stands." in capsys.readouterr().out

    elsewhere = tmp_path / "elsewhere.sqlite3"
    monkeypatch.setenv("GRAPEVINE_DATABASE", f"sqlite:///{elsewhere}")
    assert await asyncio.to_thread(main, [*arguments, "--json"]) == 2
    assert "`origin` is needed: --origin URL" in capsys.readouterr().err
    assert not elsewhere.exists()


@pytest.mark.parametrize(
    ("arguments", "status", "says"),
    [
        (["--visits", "5"], 2, "`server` is needed"),
        (["--server", "http://127.0.0.1:9"], 2, "`site` is needed"),
        (["--server", "http://127.0.0.1:9", "--site", "x"], 1, "the server did not answer"),
        (["--server", "http://127.0.0.1:port", "--site", "x"], 2, "`server` is no URL"),
        (["--server", "http://127.0.0.1:9", "--site", "x", "--k", "9"], 2, "`k` must be a number from 0 to 1.5"),
        (["--server", "http://127.0.0.1:9", "--site", "x", "--truth", "no/where/truth"], 2, "there is no folder"),
        (["--check", "no/where/truth"], 1, "cannot be read"),
    ],
)
def test_commands_that_cannot_be_done(
    arguments: list[str], status: int, says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["simulate", *arguments]) == status
    said = capsys.readouterr().err
    assert says in said
    assert said.count("\n") == 1
