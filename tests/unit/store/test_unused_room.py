"""The unused room of pages is where the file format says, and SQLite finds everything after it was wiped."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from grapevine.store.sqlite.unused_room import UnusedRoom, unused_room


def page(kind: int, cells: int, top: int, first: int = 0) -> bytes:
    header = bytes([kind]) + bytes(2) + cells.to_bytes(2, "big") + top.to_bytes(2, "big") + bytes(1)
    return (bytes(first) + header).ljust(4096, b"x")


def test_where_it_is() -> None:
    assert unused_room(page(0x0D, 3, 4000), 2, 4096) == (14, 4000)
    assert unused_room(page(0x0A, 0, 4096), 2, 4096) == (8, 4096)
    assert unused_room(page(0x05, 3, 4000), 2, 4096) == (18, 4000)
    assert unused_room(page(0x02, 3, 18), 2, 4096) == (18, 18)
    assert unused_room(page(0x0D, 3, 4000, first=100), 1, 4096) == (114, 4000)
    assert unused_room(page(0x0D, 0, 0).ljust(65_536, b"x"), 2, 65_536) == (8, 65_536)
    for kind in (0x00, 0x01, 0x03, 0x0C, 0xFF):  # pages of overflow, and free ones
        assert unused_room(page(kind, 3, 4000), 2, 4096) is None
    assert unused_room(page(0x0D, 3_000, 4000), 2, 4096) is None  # damaged
    assert unused_room(page(0x0D, 3, 4095), 2, 4090) is None


@pytest.mark.parametrize("size", [512, 4096, 65_536])
def test_sqlite_finds_every_row_afterwards(tmp_path: Path, size: int) -> None:
    chance, path = random.Random(size), tmp_path / "file"  # noqa: S311
    with closing(sqlite3.connect(path, isolation_level=None)) as connection:
        for setting in (f"page_size={size}", "secure_delete=OFF"):
            connection.execute(f"PRAGMA {setting}")
        connection.execute("CREATE TABLE a (k BIGINT PRIMARY KEY, t TEXT) WITHOUT ROWID")
        connection.execute("CREATE TABLE b (k INTEGER PRIMARY KEY, t TEXT)")
        connection.execute("CREATE INDEX b_t ON b (t)")
        connection.execute("BEGIN")
        for number in range(3_000):
            text = "\r\n\x02\x05" * chance.choice((1, 8, 40, 2_000 if number % 100 == 0 else 3))  # types of pages, too
            for table in ("a", "b"):
                connection.execute(f"INSERT INTO {table} VALUES (?, ?)", (chance.getrandbits(60), text))
        for table in ("a", "b"):
            connection.execute(f"DELETE FROM {table} WHERE k % 3 = 0")
        connection.execute("COMMIT")
        rows = [connection.execute(f"SELECT * FROM {table} ORDER BY k").fetchall() for table in ("a", "b")]
    room = UnusedRoom(path)
    dirty = room.dirty(1, room.pages)
    assert dirty
    room.wipe(dirty)
    assert room.dirty(1, room.pages) == []
    room.close()
    with closing(sqlite3.connect(path)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert [connection.execute(f"SELECT * FROM {t} ORDER BY k").fetchall() for t in ("a", "b")] == rows


@pytest.mark.parametrize("mode", ["FULL", "INCREMENTAL"])
def test_files_with_pages_of_pointers_are_left_alone(tmp_path: Path, mode: str) -> None:
    path = tmp_path / "file"
    with closing(sqlite3.connect(path)) as connection:
        connection.execute(f"PRAGMA auto_vacuum={mode}")
        connection.execute("CREATE TABLE a (k BIGINT PRIMARY KEY)")
    room = UnusedRoom(path)
    assert room.pages == 0
    room.close()


def test_a_file_without_content(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    room = UnusedRoom(tmp_path / "file")
    assert room.pages == 0
    room.close()
