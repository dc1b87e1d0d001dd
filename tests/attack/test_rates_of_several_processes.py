"""The documented limit is the limit, however many processes serve: counted at workers and at servers on PostgreSQL."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from grapevine.serving.rate_share import COUNT_SECONDS
from tests.attack.test_rates import flood
from tests.support.grapevine_process import PATIENCE_SECONDS, PostgresCommandRunner

pytestmark = pytest.mark.process

LIMIT = 600
CONNECTIONS = 24
EACH = 75
SERVERS = 3


@pytest.fixture
def machine(anyio_backend: str, tmp_path: Path, postgres_url: str) -> PostgresCommandRunner:
    assert anyio_backend == "asyncio"
    return PostgresCommandRunner(tmp_path, postgres_url)


def accepted(urls: Sequence[str]) -> tuple[int, float]:
    """Asks from one address over many connections; returns how much was accepted, and in how many seconds."""
    ports = [urlsplit(urls[number % len(urls)]).port or 0 for number in range(CONNECTIONS)]
    started = time.monotonic()
    with ThreadPoolExecutor(8) as threads:
        found = threads.map(lambda port: flood(port, "127.0.0.1", [("GET", "/s/x", None, {})] * EACH), ports)
        statuses = sum(found, Counter[int]())
    assert statuses.keys() == {404, 429}
    assert statuses.total() == CONNECTIONS * EACH
    return statuses[404], time.monotonic() - started


@pytest.mark.parametrize("workers", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_workers_share_their_buckets(machine: PostgresCommandRunner, workers: int) -> None:
    with machine.serving("--workers", str(workers), GRAPEVINE_RATE_LIMIT=str(LIMIT)) as (process, url):
        found, seconds = accepted([url])
        process.terminate()
        process.communicate(timeout=60)
    most = LIMIT + LIMIT / 60 * seconds
    print(f"{workers} workers: {found} accepted in {seconds:.2f} s, {found / most:.4f} of the limit")
    assert LIMIT <= found <= 1.01 * most


def test_servers_divide_their_limits(machine: PostgresCommandRunner) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(machine.serving(GRAPEVINE_RATE_LIMIT=str(LIMIT))) for _ in range(SERVERS)]
        wait_until_counted(servers[0][1])
        wait_until_counted(servers[1][1])
        found, seconds = accepted([url for _, url in servers])
        for process, _ in servers:
            process.terminate()
            process.communicate(timeout=60)
    most = LIMIT + LIMIT / 60 * seconds
    print(f"{SERVERS} servers: {found} accepted in {seconds:.2f} s, {found / most:.4f} of the limit")
    assert LIMIT <= found <= 1.01 * most


def wait_until_counted(url: str) -> None:
    """Waits until a server, which was started before others, gives out no more than its part: each try is another
    network's."""
    deadline, number = time.monotonic() + PATIENCE_SECONDS, 1
    while flood(urlsplit(url).port or 0, f"127.0.3.{number}", [("GET", "/s/x", None, {})] * (LIMIT // 2))[429] == 0:
        assert time.monotonic() < deadline
        time.sleep(COUNT_SECONDS / 4)
        number += 1
