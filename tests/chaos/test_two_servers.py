"""Two servers on one file: both acknowledge, nothing is lost or doubled, also when a repeat reaches the other one."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
from contextlib import ExitStack, closing, suppress
from pathlib import Path

import pytest

from tests.chaos.audit import settled
from tests.chaos.widget_load import WidgetLoad
from tests.support.raw_connection import connected
from tests.support.server_process import PATIENCE_SECONDS, SERVE, Installation, ready

pytestmark = pytest.mark.anyio


async def test_both_under_load(installation: Installation) -> None:
    load = WidgetLoad(installation.site, "two-servers")
    with installation.serving() as one, installation.serving() as other:
        async with load.on(one.port, other.port):
            await load.reached(acknowledged=400)
        for sent_again in (one, other):
            await load.repeat(sent_again.port)
        await load.settle(one.port)
        assert (one.end().status, other.end().status) == (0, 0)
    settled(installation.database, load)


async def test_one_is_killed_the_other_goes_on(installation: Installation) -> None:
    load = WidgetLoad(installation.site, "one-killed")
    with installation.serving() as one, installation.serving() as other:
        async with load.on(one.port, other.port):
            await load.reached(acknowledged=100)
            one.kill()
            await load.reached(acknowledged=100)
        await load.settle(other.port)
        other.end()
    settled(installation.database, load)


async def test_started_at_once_on_a_new_file(tmp_path: Path) -> None:
    """All of them find a file without tables; one creates them, the others then find them."""
    installation = Installation(tmp_path / "data", tmp_path, "", "")
    installation.folder.mkdir()
    with closing(sqlite3.connect(installation.database, isolation_level=None)) as turn, ExitStack() as stack:
        turn.execute("PRAGMA journal_mode=WAL")
        turn.execute("BEGIN IMMEDIATE")
        starting = [stack.enter_context(installation.starting(SERVE)) for _ in range(3)]
        for process in starting:
            await _has_open(process, Path(f"{installation.database}-wal"))
        turn.execute("COMMIT")
        for process in starting:
            server = ready(process, installation.log)
            async with connected(server.port) as connection:
                assert (await connection.ask("GET", "/readyz")).status == 200


async def _has_open(process: subprocess.Popen[str], file: Path) -> None:
    """Returns when the process has opened the file."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while file not in _open_files(process.pid):
            assert process.poll() is None
            await asyncio.sleep(0.01)


def _open_files(pid: int) -> set[Path]:
    found = set()
    for descriptor in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(FileNotFoundError):  # closed meanwhile
            found.add(descriptor.readlink())
    return found
