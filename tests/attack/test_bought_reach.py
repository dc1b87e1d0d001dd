"""Reach that a sharer makes: one link opened as thousands of browsers from one address is out of every number."""

from __future__ import annotations

import http.client
import json
import secrets
import time
from concurrent.futures import Executor
from typing import Any, Final

import pytest

from tests.support.attacked_server import AttackedInstallation, AttackedServer
from tests.support.raw_connection import ORIGIN
from tests.support.user_agents import CHROME

FRIEND, COLLEAGUES, BOUGHT = "127.0.0.31", "127.0.0.32", "127.0.0.33"
PATIENCE_SECONDS: Final = 120
ATTACKERS: Final = 4


def open_link(port: int, site: str, token: str, source: str, first: int, number: int) -> int:
    """Opens a link so many times, each time as another browser; returns how many visits were accepted."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60, source_address=(source, 0))
    page = {"site": site, "url": f"{ORIGIN}/", "channels": ["copy"], "token": token}
    accepted = 0
    for index in range(first, first + number):
        visit = page | {"nonce": secrets.token_hex(16)}
        agent = CHROME.replace("Chrome/", f"Chrome/{index}.")
        headers = {"User-Agent": agent, "Accept-Language": "en", "Origin": ORIGIN}
        connection.request("POST", "/v1/visits", json.dumps(visit), headers)
        answer = connection.getresponse()
        answer.read()
        accepted += answer.status == 200
    connection.close()
    return accepted


def resolved(server: AttackedServer, token: str) -> Any:
    """Returns what the site's administrator reads of the link."""
    headers = {"Authorization": f"Bearer {server.sites[0].key}"}
    answer = server.ask("GET", f"/v1/tokens/{token}", headers=headers, source=FRIEND)
    assert answer.status == 200, answer
    return json.loads(answer.body)


@pytest.mark.parametrize("agents", [400, pytest.param(5_000, marks=pytest.mark.slow)])
def test_one_link_opened_by_thousands_of_browsers_of_one_address(
    attacked: AttackedInstallation, attackers: Executor, agents: int
) -> None:
    with attacked.attacked(module="tests.attack.quick_verdicts", GRAPEVINE_RATE_LIMIT="0") as server:
        token = json.loads(server.visit().body)["tokens"]["copy"]
        assert server.visit(source=FRIEND, token=token).status == 200
        assert open_link(server.port, server.sites[0].site, token, COLLEAGUES, 0, 40) == 40
        with server.harmless():
            each = agents // ATTACKERS
            floods = [
                attackers.submit(open_link, server.port, server.sites[0].site, token, BOUGHT, each * part, each)
                for part in range(ATTACKERS)
            ]
            assert sum(flood.result() for flood in floods) == agents
            until = time.monotonic() + PATIENCE_SECONDS
            while (found := resolved(server, token))["share"]["returns"] > 41 or time.monotonic() > until:
                assert time.monotonic() < until, found
                time.sleep(0.1)
        assert (found["share"]["returns"], found["reach"]["visits"], found["share"]["networks"]) == (41, 41, 2)
        headers = {"Authorization": f"Bearer {server.sites[0].key}"}
        summary = json.loads(server.ask("GET", "/v1/stats/summary", headers=headers).body)
        assert (summary["returns"], summary["suspects"]["replay"]) == (41, agents)
        assert server.end().status == 0
