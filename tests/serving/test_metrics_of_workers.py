"""``/metrics`` of ``serve --workers 2``: any worker says what all did, and nothing goes back when one is killed."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest
from prometheus_client.parser import text_string_to_metric_families

from tests.serving.test_supervisor import serving, wait_until
from tests.support.grapevine_process import CommandRunner, PostgresCommandRunner, browser, visit

pytestmark = pytest.mark.process

VISITS = 60


@pytest.fixture
def machine(anyio_backend: str, tmp_path: Path, postgres_url: str) -> CommandRunner:
    assert anyio_backend == "asyncio"
    return PostgresCommandRunner(tmp_path, postgres_url)


def scrape(url: str) -> dict[tuple[str, frozenset[tuple[str, str]]], float]:
    """Every sample, over a new connection, so that either worker may answer."""
    answer = httpx.get(f"{url}/metrics", trust_env=False, timeout=60)
    assert answer.status_code == 200, answer.text
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
        if family.type in {"counter", "histogram"} and not sample.name.startswith("process_")
    }


def gauges(url: str) -> dict[str, list[float]]:
    """The samples of each gauge and of the processes' own figures."""
    found: dict[str, list[float]] = {}
    for family in text_string_to_metric_families(httpx.get(f"{url}/metrics", trust_env=False, timeout=60).text):
        if family.type == "gauge":
            found[family.name] = [sample.value for sample in family.samples]
    return found


def accepted(url: str) -> float:
    """How many visits the whole server says it stored."""
    return scrape(url)["grapevine_events_accepted_total", frozenset({("call", "visits")})]


class Scraper:
    """Scrapes again and again, and notes every number that is less than it was."""

    def __init__(self, url: str) -> None:
        self.fell: list[str] = []
        self.rounds = 0
        self._url = url
        self._end = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> Scraper:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._end.set()
        self._thread.join()

    def _run(self) -> None:
        last = scrape(self._url)
        while not self._end.is_set():
            try:
                now = scrape(self._url)
            except httpx.TransportError:
                continue  # the worker that was asked was killed
            self.fell += [f"{key}: {value} → {now[key]}" for key, value in last.items() if now[key] < value]
            last = now
            self.rounds += 1


def nonces() -> Iterator[int]:
    number = 0
    while True:
        number += 1
        yield number


def test_two_workers_are_one_server(machine: CommandRunner) -> None:
    site, numbers = machine.add_site(), nonces()

    def visits(number: int) -> int:
        """Visits over as many connections, so that both workers get some; returns how many were stored."""
        stored = 0
        for _ in range(number):
            with browser(url) as client:
                try:
                    stored += visit(client, site, next(numbers)).status_code == 200
                except httpx.TransportError:
                    continue
        return stored

    with machine.serving("--workers", "2", GRAPEVINE_METRICS="open") as (process, url):
        workers = dict(serving(process) for _ in range(2))
        assert visits(VISITS) == VISITS
        wait_until(lambda: accepted(url) == VISITS)
        assert gauges(url)["grapevine_workers"] == [2]
        assert gauges(url)["grapevine_queue_events_limit"] == [40_000]
        assert len(gauges(url)["process_start_time_seconds"]) == 2
        with Scraper(url) as scraper:
            for worker in (1, 2):
                os.kill(workers[worker], signal.SIGKILL)
                process.stderr.readline() if process.stderr else None
                serving(process)
                visits(VISITS // 3)
            rounds = scraper.rounds
            wait_until(lambda: scraper.rounds > rounds + 2)
        assert scraper.fell == []
        total = accepted(url)
        assert total >= VISITS
        assert visits(10) == 10
        wait_until(lambda: accepted(url) >= total + 10)
        assert gauges(url)["grapevine_workers"] == [2]
        assert gauges(url)["grapevine_queue_events_limit"] == [40_000]
