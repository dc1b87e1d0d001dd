"""Two servers on one file: both acknowledge, nothing is lost or doubled, also when a repeat reaches the other one."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.chaos.audit import settled
from tests.chaos.load import Load
from tests.chaos.server import SERVE, Installation, ready
from tests.chaos.wire import connected

pytestmark = pytest.mark.anyio


async def test_both_under_load(installation: Installation) -> None:
    load = Load(installation.site, "two-servers")
    with installation.serving() as one, installation.serving() as other:
        async with load.on(one.port, other.port):
            await load.reached(acknowledged=400)
        for sent_again in (one, other):
            await load.repeat(sent_again.port)
        await load.settle(one.port)
        assert (one.end().status, other.end().status) == (0, 0)
    settled(installation.database, load)


async def test_one_is_killed_the_other_goes_on(installation: Installation) -> None:
    load = Load(installation.site, "one-killed")
    with installation.serving() as one, installation.serving() as other:
        async with load.on(one.port, other.port):
            await load.reached(acknowledged=100)
            one.kill()
            await load.reached(acknowledged=100)
        await load.settle(other.port)
        other.end()
    settled(installation.database, load)


async def test_started_at_once_on_a_new_file(tmp_path: Path) -> None:
    installation = Installation(tmp_path / "data", tmp_path, "", "")
    with ExitStack() as stack:
        starting = [stack.enter_context(installation.starting(SERVE)) for _ in range(4)]
        for process in starting:
            server = ready(process, installation.log)
            async with connected(server.port) as connection:
                assert (await connection.ask("GET", "/readyz")).status == 200
