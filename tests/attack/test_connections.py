"""Many connections that do nothing, hardly anything, or never read: they end, and nobody else notices."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import Executor
from pathlib import Path

import pytest

from tests.attack.senders import byte_by_byte, idle, leave_while_answered, leave_while_asking, never_read
from tests.support.attacked_server import AttackedInstallation
from tests.support.raw_connection import request

PER_ADDRESS = 100
"""The default of GRAPEVINE_CONNECTIONS."""

LATEST_SECONDS = 60
"""Timeouts are 30 seconds, looked at every five; the rest is for a busy machine."""


def wait_until(happened: Callable[[], bool]) -> None:
    """Returns when that is so. Fails when it takes longer than any timeout of the server."""
    until = time.monotonic() + LATEST_SECONDS
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.1)


def test_one_address_has_a_hundred_connections(attacked: AttackedInstallation, attackers: Executor) -> None:
    """Those beyond are closed at once, whatever they were to do; other addresses have their own."""
    with attacked.attacked() as server:
        with server.harmless():
            refused = 2_000 - PER_ADDRESS
            closed, _ = attackers.submit(idle, server.port, 2_000, 0, refused=refused).result()
            assert closed == refused
            closed, _ = attackers.submit(idle, server.port, PER_ADDRESS, 0, "127.0.0.2").result()
            assert closed == 0
        (line,) = {line.partition(" an ")[2].partition(" (and ")[0] for line in server.log.splitlines()}
        assert line == f"address has {PER_ADDRESS} connections, the most that GRAPEVINE_CONNECTIONS allows"
        assert len(server.log.splitlines()) <= 3
        assert server.end().status == 0


def test_idle_and_slow_clients(attacked: AttackedInstallation, attackers: Executor) -> None:
    """Without that bound, two thousand idle clients and 1,500 that send byte by byte do no harm, and are closed."""
    content = request("POST", "/v1/visits", {"site": attacked.sites[0].site})
    with attacked.attacked(GRAPEVINE_CONNECTIONS="0") as server:
        with server.harmless():
            silent = attackers.submit(idle, server.port, 2_000, LATEST_SECONDS)
            slow = attackers.submit(byte_by_byte, server.port, 1_500, content, LATEST_SECONDS)
            assert silent.result() == (0, 2_000)
            assert slow.result() == 1_500
        assert server.end() == (0, "", "")


@pytest.mark.parametrize(
    ("setting", "sources"),
    [
        pytest.param("", 4, id="from four addresses", marks=pytest.mark.slow),
        pytest.param("0", 1, id="without the bound", marks=pytest.mark.slow),
    ],
)
def test_readers_that_never_read(
    attacked: AttackedInstallation, attackers: Executor, setting: str, sources: int, tmp_path: Path
) -> None:
    """Four hundred times 1,500 requests: of each few are answered, and the connections are cut after half a minute."""
    sent, done = tmp_path / "sent", tmp_path / "done"
    with attacked.attacked(GRAPEVINE_CONNECTIONS=setting) as server:
        with server.harmless():
            before = server.process.descriptors()
            found = attackers.submit(never_read, server.port, "/widget.js", 400, 1_500, sources, sent, done)
            wait_until(sent.exists)
            assert server.process.descriptors() > 400
            wait_until(lambda: server.process.descriptors() < before + 10)  # of which the two that watch have some
            done.touch()
            assert found.result() == 400
        assert server.end() == (0, "", "")


def test_clients_that_leave_are_no_errors(attacked: AttackedInstallation, attackers: Executor) -> None:
    with attacked.attacked() as server:
        with server.harmless():
            attackers.submit(leave_while_answered, server.port, 1_000).result()
            attackers.submit(leave_while_asking, server.port, 100).result()
        assert server.end() == (0, "", "")
