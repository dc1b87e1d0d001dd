"""``grapevine demo`` as a process, and its visitors over real HTTP."""

from __future__ import annotations

import asyncio
import json
import socket
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from grapevine.errors import GrapevineError
from grapevine.serving.app import system_clock
from grapevine.simulate.expected import ExpectedResults
from grapevine.simulate.player import Player, Target, player_client
from grapevine.simulate.presets import demo_world
from tests.cli.running_demo import PATIENCE_SECONDS, RunningDemo, ask

pytestmark = pytest.mark.process

VISITS = 300
DEEPEST = 6


@pytest.fixture(scope="module")
def demo() -> Iterator[RunningDemo]:
    with tempfile.TemporaryDirectory() as folder:
        demo = RunningDemo("--json", "--history", "0", folder=Path(folder))
        with demo.process:
            try:
                yield demo
            finally:
                demo.process.kill()


@pytest.fixture(scope="module")
def facts(demo: RunningDemo) -> dict[str, str]:
    """The one line that it prints."""
    found: dict[str, Any] = json.loads(demo.line())
    assert set(found) == {"server", "site_url", "site", "key", "database", "sign_in", "history"}
    assert found["history"] == 0
    return found


@pytest.fixture(scope="module")
def played(facts: dict[str, str]) -> ExpectedResults:
    """Visits that were played on it."""
    return asyncio.run(play(facts))


async def play(facts: dict[str, str], visits: int = VISITS) -> ExpectedResults:
    """Plays the world of ``demo --traffic`` and returns what the server ought to conclude."""
    world = demo_world(visits)
    async with player_client(facts["server"]) as client:
        await Player(client, Target(facts["site"], facts["site_url"]), world, system_clock).play()
    return ExpectedResults(world.truth)


def test_the_site_embeds_the_server(facts: dict[str, str]) -> None:
    page = httpx.get(facts["site_url"], trust_env=False).text
    assert f'src="{facts["server"]}/widget.js" data-site="{facts["site"]}"' in page
    assert httpx.get(f"{facts['server']}/widget.js", trust_env=False).status_code == 200


def test_its_link_opens_the_dashboard_in_any_browser(facts: dict[str, str]) -> None:
    for _ in range(2):
        with httpx.Client(trust_env=False, follow_redirects=True) as browser:
            page = browser.get(facts["sign_in"])
            assert (page.status_code, str(page.url)) == (200, f"{facts['server']}/")
            assert "<h1>Overview" in page.text
            assert page.url.host == "127.0.0.1"
    wrong = httpx.get(f"{facts['sign_in']}x", trust_env=False)
    assert (wrong.status_code, "set-cookie" in wrong.headers) == (404, False)


def test_the_server_saw_what_was_played(facts: dict[str, str], played: ExpectedResults) -> None:
    summary = ask(facts, "/v1/stats/summary")
    assert played.numbers["visits"] == summary["visits"] == VISITS
    assert played.numbers["returns"] == summary["returns"]
    assert played.numbers["shares.reported"] == summary["shares"]["reported"]
    assert played.numbers["views"] == summary["views"]
    assert 0 < sum(summary["unfurls"].values()) <= len(played.unfurls)  # once per share, app and hour
    assert summary["drops"]["robot"] == played.numbers["drops.robot"]
    assert summary["drops"]["robot"] > 0
    assert summary["self_returns"] > 0
    assert summary["same_network_returns"] > 0
    assert summary["conversions"] == played.numbers["conversions"]
    assert summary["conversions"] > 0


def test_the_shapes_are_those_of_word_of_mouth(facts: dict[str, str], played: ExpectedResults) -> None:
    summary = ask(facts, "/v1/stats/summary")
    assert 0.1 < summary["return_share"] < 0.5
    assert 0.75 < summary["dark_share"] < 0.99
    assert 3 <= played.deepest <= DEEPEST
    cascades = ask(facts, "/v1/cascades?limit=200")["cascades"]
    one_hop = [cascade for cascade in cascades if cascade["max_depth"] == 1]
    assert len(one_hop) > len(cascades) / 2
    assert max(cascade["max_depth"] for cascade in cascades) == played.deepest


@pytest.mark.usefixtures("played")
def test_many_kinds_of_people_came(facts: dict[str, str]) -> None:
    def keys(by: str) -> set[str]:
        headers = {"Authorization": f"Bearer {facts['key']}"}
        query = {"by": by, "from": "2020-01-01", "to": "2029-12-31"}
        answer = httpx.get(f"{facts['server']}/v1/stats/breakdown", params=query, headers=headers, trust_env=False)
        return {row["key"] for row in answer.json()}

    assert keys("source") >= {"share", "search", "social", "direct-deep", "direct-home", "campaign", "referral"}
    assert keys("device") == {"phone", "desktop", "tablet"}
    assert keys("channel") >= {"copy", "whatsapp", "native", "email"}
    assert keys("app") >= {"instagram", "facebook"}
    assert len(keys("page")) >= 8


def test_playing_it_again_changes_nothing(facts: dict[str, str], played: ExpectedResults) -> None:
    before = ask(facts, "/v1/stats/summary")
    again = asyncio.run(play(facts))
    after = ask(facts, "/v1/stats/summary")
    assert again.numbers == played.numbers
    for numbers in (before, after):
        del numbers["drops"]  # repeats and robots are counted there
        del numbers["unfurls"]  # a new hour brings new ones
    assert after == before


def test_a_refusal_ends_the_game(facts: dict[str, str]) -> None:
    with pytest.raises(GrapevineError, match=r"POST /v1/visits was answered 404.*unknown-site"):
        asyncio.run(play(facts | {"site": "nobody"}, 5))


def test_it_leaves_nothing_behind(tmp_path: Path) -> None:
    demo = RunningDemo("--json", "--history", "0", folder=tmp_path)
    with demo.process:
        database = json.loads(demo.line())["database"].removeprefix("sqlite:///")
        assert Path(database).is_relative_to(tmp_path)
        assert Path(database).exists()
        assert demo.end() == ("", "")
    assert demo.process.returncode == 0
    assert list(tmp_path.iterdir()) == []


def test_it_plays_while_it_runs_and_says_how_much(tmp_path: Path) -> None:
    demo = RunningDemo("--history", "0", "--traffic", "20", folder=tmp_path)
    with demo.process:
        welcome = [demo.line() for _ in range(6)]
        assert demo.process.stderr is not None
        while not (line := demo.process.stderr.readline()).startswith("Played"):
            assert line, welcome
        demo.end()
    assert welcome[0] == "Grapevine is running. Ctrl+C stops it and throws everything away.\n"
    assert [line.split()[0] for line in welcome[2:5]] == ["Dashboard", "Demo", "API"]
    assert line.startswith("Played 20 visits in ")
    assert demo.process.returncode == 0


def test_a_port_in_use(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        demo = RunningDemo("--site-port", str(port), folder=tmp_path)
        with demo.process:
            out, err = demo.process.communicate(timeout=PATIENCE_SECONDS)
    assert (demo.process.returncode, out) == (1, "")
    assert err.startswith(f"grapevine: cannot listen on 127.0.0.1:{port}: Address already in use")
    assert list(tmp_path.iterdir()) == []
