"""``/metrics`` under attack: a stranger gets nothing by default, and readers do not hold up the server.

``tests/web/test_metrics.py`` bounds the processor time of one scrape, which is all that it can hold up the loop for.
"""

from __future__ import annotations

from collections import Counter
from concurrent.futures import Executor

import pytest

from grapevine.telemetry.bounds import BOUNDS
from tests.attack.test_rates import Request, flood
from tests.support.attacked_server import AttackedInstallation

MOST_BYTES = 100_000
SPELLINGS = (
    "/metrics", "/metrics/", "//metrics", "/metrics?site=x", "/METRICS", "/metrics%2f", "/./metrics", "/metrics;x",
)  # fmt: skip
PRETENCES: tuple[dict[str, str], ...] = (
    {},
    {"X-Forwarded-For": "127.0.0.1"},
    {"Forwarded": "for=127.0.0.1"},
    {"X-Real-IP": "127.0.0.1"},
    {"Host": "localhost"},
    {"Authorization": "Bearer gv_wrong"},
    {"Authorization": "Basic Z3Zfd3Jvbmc6"},
    {"Authorization": "Bearer"},
    {"Accept": "application/openmetrics-text"},
)


def each_alone(port: int, source: str, requests: list[Request]) -> Counter[int]:
    """Sends each request on a connection of its own: one that rests while this process waits for a processor ends."""
    return sum((flood(port, source, [request]) for request in requests), Counter[int]())


def test_a_stranger_gets_nothing(attacked: AttackedInstallation) -> None:
    with attacked.attacked() as server:
        statuses: Counter[int] = Counter()
        for number, headers in enumerate(PRETENCES):
            for method in ("GET", "HEAD", "POST", "OPTIONS"):
                for path in SPELLINGS:
                    answer = server.ask(method, path, None, headers, f"127.0.3.{number + 1}")
                    statuses[answer.status] += 1
                    assert b"grapevine_" not in answer.body, (method, path, headers)
                    assert answer.status in {401, 404, 405, 429}, (method, path, headers)
        assert statuses[401] >= len(PRETENCES)
        key = {"Authorization": f"Bearer {server.sites[0].key}"}
        one_of_two = server.ask("GET", "/metrics", headers=key)
        assert one_of_two.status == 403
        assert b"grapevine_" not in one_of_two.body


@pytest.mark.parametrize("readers", [25, pytest.param(1_000, marks=pytest.mark.slow)])
def test_scrapes_while_everything_is_full(attacked: AttackedInstallation, attackers: Executor, readers: int) -> None:
    site = attacked.sites[0]
    body = b'{"site": "%b", "url": "https://a.example/", "nonce": "%024d", "channels": ["copy"]}'
    visits = (body % (site.site.encode(), each) for each in range(4 * readers))
    calls: list[Request] = [("POST", "/v1/visits", each, {"Origin": site.origin}) for each in visits]
    scrapes: list[Request] = [("GET", "/metrics", None, {})] * readers
    with attacked.attacked(GRAPEVINE_METRICS="open", GRAPEVINE_RATE_LIMIT="0") as server:
        with server.harmless():
            visiting = attackers.submit(each_alone, server.port, "127.0.1.1", calls)
            reading = [attackers.submit(each_alone, server.port, f"127.0.2.{each}", scrapes) for each in (1, 2)]
            found = sum((each.result() for each in reading), Counter[int]())
            assert visiting.result() == {200: len(calls)}
        assert found == {200: 2 * readers}
        shown = server.ask("GET", "/metrics").body
        assert len(shown) < MOST_BYTES
        assert all(f'bound="{name}"'.encode() in shown for name in BOUNDS)
        assert site.site.encode() not in shown
