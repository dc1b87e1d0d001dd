"""What was deleted is in no file of a SQLite database, once its log was truncated; and who may read these files."""

from __future__ import annotations

import asyncio
import os
import random
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from grapevine.store.sqlite import checkpointer
from grapevine.store.sqlite.files import database_files
from grapevine.store.sqlite.store import SQLiteStore

pytestmark = pytest.mark.anyio

MARK: Final = "5a1755a1755a1755"
PATIENCE_SECONDS: Final = 30


def files_with(mark: str, path: Path) -> list[str]:
    """Returns the names of the database's files that contain the text."""
    return [file.name for file in database_files(path) if file.exists() and mark.encode() in file.read_bytes()]


async def emptied(path: Path) -> None:
    """Returns when the log is empty."""
    _, log, _ = database_files(path)
    async with asyncio.timeout(PATIENCE_SECONDS):
        while log.stat().st_size:  # noqa: ASYNC110  # nothing tells another process of it either
            await asyncio.sleep(0.02)


async def add_and_destroy(store: SQLiteStore, mark: str) -> None:
    await store.salts.salt("visitor", 2_000, mark * 8)
    await store.salts.forget_salts("visitor", 2_001)


@pytest.fixture
def store(sqlite_store: SQLiteStore, monkeypatch: pytest.MonkeyPatch) -> SQLiteStore:
    monkeypatch.setattr(checkpointer, "RETRY_SECONDS", 0.05)
    return sqlite_store


async def test_deleted_rows_are_in_no_file_after_the_log_was_truncated(store: SQLiteStore) -> None:
    await add_and_destroy(store, MARK)
    assert files_with(MARK, store.path) == ["grapevine.sqlite3-wal"]  # or the test could not fail
    store.truncate_log()
    await emptied(store.path)
    assert files_with(MARK, store.path) == []
    assert await store.writer_setting("secure_delete") == 1  # ON: free pages are overwritten, too


async def test_a_reader_that_needs_the_log_delays_its_truncation(store: SQLiteStore) -> None:
    await add_and_destroy(store, MARK)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM salts").fetchall()
        await add_and_destroy(store, MARK)  # beyond what the reader sees
        store.truncate_log()
        for _ in range(20):
            assert await store.writable()  # a truncation that waits for a reader does not keep the writer waiting
        assert files_with(MARK, store.path) == ["grapevine.sqlite3-wal"]
        reader.execute("ROLLBACK")
    await emptied(store.path)
    assert files_with(MARK, store.path) == []


async def test_truncations_are_a_minute_apart_and_the_last_comes_at_the_latest_with_the_end(store: SQLiteStore) -> None:
    with closing(sqlite3.connect(store.path)) as other:  # keeps SQLite from deleting the log with the last connection
        other.execute("SELECT count(*) FROM salts").fetchall()
        await add_and_destroy(store, MARK)
        store.truncate_log()
        await emptied(store.path)
        for number in range(100):
            await add_and_destroy(store, f"{number:016}")
            store.truncate_log()
        assert files_with(f"{0:016}", store.path) == ["grapevine.sqlite3-wal"]
        await store.close()
        assert files_with(f"{99:016}", store.path) == []
        assert database_files(store.path)[1].stat().st_size == 0


def remains(path: Path, keys: set[int]) -> int:
    """Returns how many of these guards have their key in the file, as SQLite writes it."""
    content, written = path.read_bytes(), {key.to_bytes(8, "big", signed=True) for key in keys}
    return len({found for at in range(len(content) - 7) if (found := content[at : at + 8]) in written})


async def test_copies_of_deleted_rows_in_unused_room_are_wiped(store: SQLiteStore) -> None:
    """Rows come and go in random order, so that pages are split and joined; deletion misses the copies of a few."""
    chance, dead, keys = random.Random(5), set[int](), set[int]()  # noqa: S311

    async def come_and_go() -> None:
        for now in range(1, 9):
            guards = [(1, 1, chance.getrandbits(63) - (1 << 62), 0, now + chance.randrange(12)) for _ in range(3_000)]
            async with store.batch() as batch:
                await batch.guard(guards)
            keys.update(guard[2] for guard in guards)
            await store.guards.forget_guards(now)
        alive = {key for (key,) in await store.look("SELECT guard_key FROM guards")}
        dead.update(keys - alive)

    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        await come_and_go()
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        assert remains(store.path, dead) > 0  # or the test could not fail
        store.truncate_log()
        async with asyncio.timeout(PATIENCE_SECONDS):
            while remains(store.path, dead):  # noqa: ASYNC110
                await asyncio.sleep(0.05)
        gone = set(dead)
        await come_and_go()  # the writer does not bring back what it knew of these pages
        other.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        assert remains(store.path, gone) == 0
        await store.close()  # what waited for the end of the minute
        assert other.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o077])
async def test_the_files_belong_to_their_owner_alone(tmp_path: Path, umask: int) -> None:
    before = os.umask(umask)
    try:
        store = SQLiteStore(tmp_path / "new" / "folder" / "grapevine.sqlite3")
        await store.open()
        assert await store.writable()
    finally:
        os.umask(before)
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (*database_files(store.path), store.path.parent)}
    await store.close()
    assert modes == {
        "grapevine.sqlite3": 0o600, "grapevine.sqlite3-wal": 0o600, "grapevine.sqlite3-shm": 0o600, "folder": 0o700,
    }  # fmt: skip


async def test_files_of_an_earlier_version_are_tightened(store: SQLiteStore) -> None:
    assert await store.writable()
    with closing(sqlite3.connect(store.path)) as other:
        other.execute("SELECT count(*) FROM salts").fetchall()
        await store.close()
        for file in database_files(store.path):
            file.chmod(0o644)
        await store.open()
        assert {stat.S_IMODE(file.stat().st_mode) for file in database_files(store.path)} == {0o600}
