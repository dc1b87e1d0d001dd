"""User agents that take long to read, from the holder of a key: others notice nothing of a thousand of them."""

from __future__ import annotations

import http.client
import json
import random
import string
from collections import Counter
from concurrent.futures import Executor

import pytest

from grapevine.api_schemas.unfurls import MOST_UNFURLS
from grapevine.collect.user_agents import LONGEST_AGENT
from tests.support.attacked_server import AttackedInstallation

PATIENCE_SECONDS = 120
LETTERS = string.ascii_letters + string.digits + " ;/.()+-"


def report(port: int, key: str, token: str, seed: int, number: int) -> Counter[str]:
    """Reports so many user agents that were never seen; how often each error was the answer."""
    drawn = random.Random(seed)  # noqa: S311
    agents = ["Mozilla/5.0 (Linux) " + "".join(drawn.choices(LETTERS, k=LONGEST_AGENT)) for _ in range(number)]
    body = json.dumps({"unfurls": [{"token": token, "agent": agent} for agent in agents]})
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_SECONDS)
    connection.request("POST", "/v1/unfurls", body, {"Authorization": f"Bearer {key}"})
    answer = connection.getresponse()
    results = json.loads(answer.read())["results"]
    connection.close()
    return Counter(each["error"] for each in results)


@pytest.mark.parametrize(
    ("calls", "number"),
    [(2, 150), pytest.param(2, MOST_UNFURLS, marks=pytest.mark.slow), pytest.param(8, 120, marks=pytest.mark.slow)],
)
def test_agents_that_take_long_to_read(
    attacked: AttackedInstallation, attackers: Executor, calls: int, number: int
) -> None:
    site = attacked.sites[1]
    with attacked.attacked() as server:
        token = server.visit(site).json()["tokens"]["copy"]
        with server.harmless():
            found = [attackers.submit(report, server.port, site.key, token, seed, number) for seed in range(calls)]
            errors = sum((each.result() for each in found), Counter[str]())
        assert errors == {"invalid": calls * number}
        assert server.end() == (0, "", "")
