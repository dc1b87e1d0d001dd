"""The measuring itself: harm is noticed."""

from __future__ import annotations

import http.client
import os
import signal
import time
from concurrent.futures import Executor

import pytest

from tests.support.attacked_server import AttackedInstallation

STOPPED_SECONDS = 0.6


def many_visits(port: int, number: int) -> tuple[int, int]:
    """Asks for the health of the server; returns this process's priority and how many were answered."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    answered = 0
    for _ in range(number):
        connection.request("GET", "/healthz")
        answer = connection.getresponse()
        answer.read()
        answered += answer.status == 200
    connection.close()
    return os.nice(0), answered


def stop_for(pid: int, seconds: float) -> None:
    """Stops a process for a while."""
    os.kill(pid, signal.SIGSTOP)
    time.sleep(seconds)
    os.kill(pid, signal.SIGCONT)


def test_ordinary_load_does_no_harm(attacked: AttackedInstallation, attackers: Executor) -> None:
    with attacked.attacked() as server:
        with server.harmless():
            assert attackers.submit(many_visits, server.port, 500).result() == (19, 500)
        assert server.end() == (0, "", "")


def test_a_loop_that_stands_still_is_noticed(attacked: AttackedInstallation) -> None:
    with attacked.attacked() as server:
        with pytest.raises(AssertionError, match="stood still"), server.harmless():
            stop_for(server.process.pid, STOPPED_SECONDS)
        with server.harmless():
            pass


def test_memory_that_grows_is_noticed(attacked: AttackedInstallation) -> None:
    with (
        attacked.attacked() as server,
        pytest.raises(AssertionError, match="memory grew"),
        server.harmless(most_growth=-(1 << 40)),
    ):
        pass
