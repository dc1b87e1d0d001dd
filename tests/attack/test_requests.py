"""Requests without measure: each is refused before it is read as a whole, and nobody else notices."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor

import pytest

from tests.attack.senders import (
    CHUNK,
    Outcome,
    growing_header,
    long_url,
    malformed,
    never_ending,
    short_headers,
    upgrades,
    visits,
)
from tests.support.attacked_server import AttackedInstallation

MIB = 1 << 20
BUFFERED = 8 * MIB
"""What the kernel of this machine may take before the server has read any of it."""

MALFORMED = 3_000
AGENTS = 20_000
UPGRADES = 1_000


@pytest.mark.parametrize(
    ("attack", "size", "status"),
    [
        pytest.param(growing_header, 152 * MIB, 431, id="a growing header"),
        pytest.param(short_headers, 22 * MIB, 431, id="short headers"),
        pytest.param(long_url, 40 * MIB, 414, id="a long URL"),
    ],
)
def test_a_head_without_end(
    attacked: AttackedInstallation,
    attackers: Executor,
    attack: Callable[[int, int], Outcome],
    size: int,
    status: int,
) -> None:
    with attacked.attacked() as server:
        with server.harmless(most_growth=10 * MIB):
            outcomes = [found.result() for found in [attackers.submit(attack, server.port, size) for _ in range(20)]]
        for outcome in outcomes:
            assert outcome.closed
            assert outcome.sent < BUFFERED
            assert outcome.answer.startswith(b"HTTP/1.1 %d " % status)
        assert server.end() == (0, "", "")


@pytest.mark.parametrize("number", [200, pytest.param(4_000, marks=pytest.mark.slow)])
def test_many_heads_at_once(attacked: AttackedInstallation, attackers: Executor, number: int) -> None:
    """One after the other on four connections at a time: what was refused is forgotten."""
    with attacked.attacked() as server:
        with server.harmless(most_growth=10 * MIB):
            found = [attackers.submit(never_ending, server.port, number // 4, CHUNK * 8) for _ in range(4)]
            assert sum(each.result() for each in found) == number
        assert server.end() == (0, "", "")


@pytest.mark.parametrize("number", [400, pytest.param(AGENTS, marks=pytest.mark.slow)])
def test_long_user_agents(attacked: AttackedInstallation, attackers: Executor, number: int) -> None:
    """Of 256 KiB none is read; of the longest that are, 512 characters count, and none is kept."""
    site = attacked.sites[0]
    with attacked.attacked(GRAPEVINE_RATE_LIMIT="0") as server:
        with server.harmless():
            refused = attackers.submit(visits, server.port, site, 100, 256 << 10)
            stored = [attackers.submit(visits, server.port, site, number // 8, 15_000) for _ in range(8)]
            assert refused.result() == {431: 100}
            assert [each.result() for each in stored] == [{200: number // 8}] * 8
        assert server.end() == (0, "", "")


def test_malformed_requests_fill_no_log(attacked: AttackedInstallation, attackers: Executor) -> None:
    with attacked.attacked() as server:
        with server.harmless():
            assert attackers.submit(malformed, server.port, MALFORMED).result() == MALFORMED
            assert attackers.submit(upgrades, server.port, UPGRADES).result() == UPGRADES
        lines = server.log.splitlines()
        assert 1 <= len(lines) <= 20
        assert all("Invalid HTTP request received." in line for line in lines)
        assert server.end().status == 0
