"""``serve --workers 2`` on PostgreSQL: all serve and drain, dead workers are replaced, none outlives the parent."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from grapevine.config.settings import Settings
from grapevine.errors import GrapevineError
from grapevine.serving import supervisor
from tests.support.grapevine_process import PATIENCE_SECONDS, CommandRunner, PostgresCommandRunner, browser, visit

pytestmark = pytest.mark.process

ENOUGH = 50


@pytest.fixture
def machine(anyio_backend: str, tmp_path: Path, postgres_url: str) -> CommandRunner:
    assert anyio_backend == "asyncio"
    return PostgresCommandRunner(tmp_path, postgres_url)


class Browsers:
    """Browsers that go on calling, whatever happens to their connections."""

    def __init__(self, url: str, site: str) -> None:
        self.answered: list[str] = []
        self.refused: list[int] = []
        self._url = url
        self._site = site
        self._end = threading.Event()
        self._readers = [threading.Thread(target=self._read_on, args=(number * 1_000_000,)) for number in range(8)]

    def _read_on(self, nonce: int) -> None:
        while not self._end.is_set():
            with browser(self._url) as client:
                while not self._end.is_set():
                    nonce += 1
                    try:
                        answer = visit(client, self._site, nonce)
                    except httpx.TransportError:
                        break
                    if answer.status_code == 200:
                        self.answered.append(answer.json()["visit"])
                    else:
                        self.refused.append(answer.status_code)

    def more(self, number: int = ENOUGH) -> None:
        """Returns when so many more visits were answered."""
        wanted = len(self.answered) + number
        wait_until(lambda: len(self.answered) >= wanted)

    @contextmanager
    def calling(self) -> Iterator[None]:
        """Calls as long as the block runs."""
        for reader in self._readers:
            reader.start()
        try:
            yield
        finally:
            self._end.set()
            for reader in self._readers:
                reader.join(PATIENCE_SECONDS)


def wait_until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.01)


def serving(process: subprocess.Popen[str]) -> tuple[int, int]:
    """The number and the process of the next worker that the log says is at work."""
    found = re.search(r"worker (\d+) serves as process (\d+)\n", said(process))
    assert found
    return int(found[1]), int(found[2])


def said(process: subprocess.Popen[str]) -> str:
    """Returns the next line of the log, which is the parent's."""
    assert process.stderr is not None
    line = process.stderr.readline()
    assert "grapevine.serving.supervisor" in line
    return line


def refuses(url: str) -> bool:
    """Whether the port is free again."""
    address = httpx.URL(url)
    with socket.socket() as probe:
        return probe.connect_ex((address.host, address.port)) != 0


@pytest.mark.parametrize("number", [signal.SIGTERM, pytest.param(signal.SIGINT, marks=pytest.mark.slow)])
def test_a_signal_to_the_parent_drains_all(machine: CommandRunner, number: signal.Signals) -> None:
    site = machine.add_site()
    with machine.serving("--workers", "2") as (process, url):
        assert {serving(process)[0], serving(process)[0]} == {1, 2}
        crowd = Browsers(url, site)
        with crowd.calling():
            crowd.more()
            beside_it = machine.run("doctor")  # sees one moment, whatever is being written
            assert (beside_it.returncode, beside_it.stderr) == (0, ""), beside_it.stdout
            process.send_signal(number)
            out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, out, err) == (0, "", "")
    assert set(crowd.refused) <= {503}
    assert len(set(crowd.answered)) == len(crowd.answered)
    assert set(crowd.answered) <= machine.stored()
    assert machine.run("doctor").returncode == 0


def test_a_killed_worker_is_replaced_and_nothing_answered_is_lost(machine: CommandRunner) -> None:
    site = machine.add_site()
    with machine.serving("--workers", "2") as (process, url):
        found = dict(serving(process) for _ in range(2))
        crowd = Browsers(url, site)
        with crowd.calling():
            crowd.more()
            for worker, signal_sent, says in (
                (1, signal.SIGKILL, "was ended by SIGKILL"),
                (1, signal.SIGTERM, "ended"),
                (2, signal.SIGKILL, "was ended by SIGKILL"),
            ):
                os.kill(found[worker], signal_sent)
                assert f"worker {worker} (process {found[worker]}) {says}; another takes its place\n" in said(process)
                number, found[worker] = serving(process)
                assert number == worker
                crowd.more()
            process.terminate()
            out, err = process.communicate(timeout=PATIENCE_SECONDS)
    assert (process.returncode, out, err) == (0, "", "")
    assert set(crowd.answered) <= machine.stored()
    assert machine.run("doctor").returncode == 0


def test_no_worker_outlives_a_killed_parent(machine: CommandRunner) -> None:
    site = machine.add_site()
    with machine.serving("--workers", "2") as (process, url):
        crowd = Browsers(url, site)
        with crowd.calling():
            crowd.more()
            process.kill()
            wait_until(lambda: refuses(url))
    assert set(crowd.answered) <= machine.stored()


def test_an_address_that_other_workers_serve(machine: CommandRunner) -> None:
    with machine.serving("--workers", "2") as (_, url):
        done = machine.run("serve", "--workers", "2", "--port", str(httpx.URL(url).port))
    assert (done.returncode, done.stdout) == (1, "")
    assert "Address already in use" in done.stderr


@pytest.mark.anyio
async def test_it_gives_up_when_a_worker_dies_at_once_again_and_again() -> None:
    settings = Settings(database="postgresql://localhost/grapevine", secret_keys=(b"k" * 32,))
    announced: list[str] = []

    async def announce() -> None:
        announced.append("ready")

    dying = (sys.executable, "-c", "import sys; sys.stdin.readline(); sys.exit(3)")
    sockets = supervisor.listeners("127.0.0.1", 0, 2)
    with pytest.raises(GrapevineError, match=r"worker \d failed with status 3 3 times within 10 s of its start"):
        await supervisor.supervise(settings, sockets, announce, dying)
    assert announced == []
    assert all(listener.fileno() == -1 for listener in sockets)
