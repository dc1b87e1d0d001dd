"""A torn tail of the write-ahead log after ``kill -9``: everything that was committed before the damage is kept."""

from __future__ import annotations

import shutil
import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.chaos.audit import intact, settled
from tests.chaos.widget_load import WidgetLoad
from tests.support.server_process import Installation

pytestmark = pytest.mark.anyio

_HEADER = 32
_FRAME_HEADER = 24

Damage = Callable[[bytearray, int, int], None]


def flipped(log: bytearray, start: int, frame: int) -> None:
    """Flips one bit of the frame."""
    log[start + frame // 2] ^= 1


def cut_off(log: bytearray, start: int, frame: int) -> None:
    """Truncates the file within the frame."""
    del log[start + frame // 2 :]


def zeroed(log: bytearray, start: int, _: int) -> None:
    """The file has its length, but nothing was written from the frame on."""
    log[start:] = bytes(len(log) - start)


@pytest.mark.parametrize("damage", [flipped, cut_off, zeroed])
@pytest.mark.parametrize("commits", [1, pytest.param(3, marks=pytest.mark.slow)])
async def test_damaged(installation: Installation, tmp_path: Path, damage: Damage, commits: int) -> None:
    """The last ``commits`` transactions are damaged; the server starts and has all others."""
    load = WidgetLoad(installation.site, "log-damage")
    with installation.serving() as server:
        async with load.on(server.port):
            await load.reached(acknowledged=120)
            server.kill()
    log = installation.database.with_name(f"{installation.database.name}-wal")
    content = bytearray(log.read_bytes())
    frame, ends = _commits(content)
    assert len(ends) > commits
    good = ends[-1 - commits]
    expected = _rows(_with_log(installation.database, tmp_path / "expected", bytes(content[:good])))
    second = good + frame if ends[-commits] > good + frame else good  # a transaction may have one frame alone
    damage(content, second, frame)
    log.write_bytes(content)
    with installation.serving() as server:
        assert _rows(installation.database) == expected
        intact(installation.database)
        before = WidgetLoad(installation.site, "after-the-damage")
        async with before.on(server.port):
            await before.reached(acknowledged=50)
        assert server.end().status == 0
    intact(installation.database)


async def test_undamaged(installation: Installation) -> None:
    """Bytes that follow the last transaction without belonging to one change nothing."""
    load = WidgetLoad(installation.site, "log-tail")
    with installation.serving() as server:
        async with load.on(server.port):
            await load.reached(acknowledged=60)
            server.kill()
    with installation.database.with_name(f"{installation.database.name}-wal").open("ab") as log:
        log.write(b"half a frame of a transaction that was never committed" * 50)
    with installation.serving() as server:
        await load.settle(server.port)
        server.end()
    settled(installation.database, load)


def _commits(log: bytearray) -> tuple[int, list[int]]:
    """The size of a frame, and where each committed transaction ends (https://sqlite.org/fileformat2.html#walformat).

    Frames whose salts are not the header's are left over from before the log began anew.
    """
    page_size, salts = struct.unpack(">8xI4x8s8x", log[:_HEADER])
    frame = _FRAME_HEADER + page_size
    ends = []
    for start in range(_HEADER, len(log) - frame + 1, frame):
        pages_after_commit, of_frame = struct.unpack(">4xI8s8x", log[start : start + _FRAME_HEADER])
        if of_frame != salts:
            break
        if pages_after_commit:
            ends.append(start + frame)
    return frame, ends


def _with_log(database: Path, folder: Path, log: bytes) -> Path:
    folder.mkdir()
    copy = Path(shutil.copy(database, folder))
    copy.with_name(f"{copy.name}-wal").write_bytes(log)
    return copy


def _rows(database: Path) -> dict[str, list[tuple[Any, ...]]]:
    """All events of a file."""
    with closing(sqlite3.connect(database)) as connection:
        tables = ("visits", "shares", "guards", "pages", "counts_hour", "counts_page", "counts_device", "cascades")
        return {table: sorted(connection.execute(f"SELECT * FROM {table}"), key=repr) for table in tables}
