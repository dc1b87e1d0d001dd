"""A backup of each backend, restored into each: every row that it shall hold, and nothing that it must not."""

from __future__ import annotations

import errno
import os
import sqlite3
import stat
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from grapevine.config.settings import Settings, database_path
from grapevine.errors import GrapevineError, SettingError
from grapevine.keyring.encryption import is_sealed, seal
from grapevine.store import sql_loader
from grapevine.store.copy.backup import NO_SECRET, back_up
from grapevine.store.copy.restore import restore, restore_keys
from tests.store.copy.copies import NOW, WORLDS, RecordedProgress, everything, opens, strew
from tests.store.databases import Database, Databases

pytestmark = pytest.mark.anyio

KEY: Final = b"a key that signs tokens"
SECRET: Final = "whsec_5a1755a1755a1755"
SEALED: Final = seal(SECRET, KEY, "webhook wh_2")
SALT: Final = "0123456789abcdef" * 4


def settings_of(database: Database) -> Settings:
    return Settings(database=database.settings.database, secret_keys=(KEY,))


def names(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


def content_of(database: Database) -> bytes:
    path = database_path(database.settings)
    assert path is not None
    return path.read_bytes()


async def prepare(database: Database) -> None:
    """Adds what a backup leaves out, and what it must not."""
    await database.insert("salts", [("visitor", 2_000, SALT), ("nonce", 0, "f" * 64)])
    await database.insert("sessions", [("5e5510" * 10, "key", NOW + 1)])
    await database.insert("kept_answers", [("key", "5ea1ed" * 8, 7, "0" * 64, 201, "5ea1ed" * 10, NOW)])
    await database.insert("leases", [("housekeeping", "somebody", NOW - 1)])
    await database.insert(
        "webhooks",
        [
            ("wh_1", 7, "https://a.example/", SECRET, "visit", NOW, *[None] * 5),
            ("wh_2", 7, "https://a.example/", SEALED, "visit", NOW, *[None] * 5),
        ],
    )
    await database.insert(
        "deliveries",
        [(f"d_{n}", f"wh_{n}", 7, "visit", "{}", NOW, 0, NOW, None, None, None, None, 1, None, 2) for n in (1, 2)],
    )


@pytest.mark.parametrize("with_keys", [False, True])
async def test_a_backup_is_restored(ways: tuple[Databases, Databases], tmp_path: Path, with_keys: bool) -> None:
    file = tmp_path / "backup"
    async with ways[0].holding(*WORLDS) as source, ways[1].holding() as target:
        await prepare(source)
        before = await everything(source)
        done = await back_up(settings_of(source), file, RecordedProgress(), NOW, is_sealed, with_keys=with_keys)
        assert (done.bytes, done.endpoints, done.keys is None) == (file.stat().st_size, not with_keys, not with_keys)
        assert stat.S_IMODE(file.stat().st_mode) == 0o600
        assert names(tmp_path) == ["backup", *["backup.keys"] * with_keys]
        content = file.read_bytes()
        assert SALT.encode() not in content
        assert b"5e5510" * 10 not in content
        assert b"5ea1ed" * 8 not in content
        assert (SECRET.encode() in content) is with_keys
        await restore(settings_of(target), file, RecordedProgress(), NOW)
        assert file.read_bytes() == content
        await opens(target)
        after = await everything(target)
    expected = before | {"sessions": [], "kept_answers": [], "salts": [("nonce", 0, "f" * 64)]}
    if not with_keys:
        expected["webhooks"][0] = ("wh_1", 7, "https://a.example/", "", "visit", NOW, NOW, NO_SECRET, *[None] * 3)
        given_up = (None, None, NOW, None, NO_SECRET)
        expected["deliveries"][0] = ("d_1", "wh_1", 7, "visit", "{}", NOW, 0, *given_up, 1, None, 2)
    assert after == expected


async def test_every_value_of_every_column_comes_back(ways: tuple[Databases, Databases], tmp_path: Path) -> None:
    async with ways[0].holding() as source, ways[1].holding() as target:
        await strew(source, 5)
        await back_up(settings_of(source), tmp_path / "backup", RecordedProgress(), NOW, is_sealed, with_keys=True)
        await restore(settings_of(target), tmp_path / "backup", RecordedProgress(), NOW)
        before, after = await everything(source), await everything(target)
    assert after == before | {"sessions": [], "kept_answers": []}


async def test_deleted_bytes_are_not_in_it(sqlite_databases: Databases, tmp_path: Path) -> None:
    async with sqlite_databases.holding() as source:
        with closing(sqlite3.connect(database_path(source.settings) or "", isolation_level=None)) as other:
            other.execute("PRAGMA secure_delete=OFF")
            other.execute("INSERT INTO salts VALUES ('nonce', 1, ?)", (SALT,))
            other.execute("DELETE FROM salts")
            other.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        assert SALT.encode() in content_of(source)  # as in a file of an earlier version
        await back_up(settings_of(source), tmp_path / "backup", RecordedProgress(), NOW, is_sealed)
    assert SALT.encode() not in (tmp_path / "backup").read_bytes()


async def test_nothing_is_overwritten(sqlite_databases: Databases, tmp_path: Path) -> None:
    for name in ("backup", "other.keys"):
        (tmp_path / name).write_text("mine")
    (tmp_path / "link").symlink_to(tmp_path / "nowhere")
    async with sqlite_databases.holding() as source:
        for name in ("backup", "other", "link"):
            with pytest.raises(GrapevineError, match="exists already; a backup overwrites nothing"):
                await back_up(settings_of(source), tmp_path / name, RecordedProgress(), NOW, is_sealed, with_keys=True)
    assert names(tmp_path) == ["backup", "link", "other.keys"]


async def test_what_cannot_be_backed_up(sqlite_databases: Databases, tmp_path: Path) -> None:
    file, nothing = tmp_path / "backup", Settings(database=f"sqlite:///{tmp_path}/none.sqlite3")
    with pytest.raises(GrapevineError, match="there is nothing to back up"):
        await back_up(nothing, file, RecordedProgress(), NOW, is_sealed)
    with pytest.raises(SettingError, match="there are none yet"):
        await back_up(nothing, file, RecordedProgress(), NOW, is_sealed, with_keys=True)
    async with sqlite_databases.holding() as source:
        with pytest.raises(GrapevineError, match="cannot be written: No such file or directory"):
            await back_up(settings_of(source), tmp_path / "none" / "backup", RecordedProgress(), NOW, is_sealed)
    assert names(tmp_path) == []


async def test_a_file_system_without_hard_links(
    sqlite_databases: Databases, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def no_link(_: object, __: object) -> None:
        raise OSError(errno.EPERM, os.strerror(errno.EPERM))

    monkeypatch.setattr(os, "link", no_link)
    async with sqlite_databases.holding(*WORLDS) as source, sqlite_databases.holding() as target:
        await back_up(settings_of(source), tmp_path / "backup", RecordedProgress(), NOW, is_sealed)
        assert names(tmp_path) == ["backup"]
        await restore(settings_of(target), tmp_path / "backup", RecordedProgress(), NOW)


async def test_only_a_backup_is_restored_and_only_into_an_empty_database(databases: Databases, tmp_path: Path) -> None:
    file, foreign, newer = tmp_path / "backup", tmp_path / "foreign", tmp_path / "newer"
    foreign.write_text("no database" * 100)
    with closing(sqlite3.connect(newer)) as connection:
        connection.execute("PRAGMA user_version=999")
    async with databases.holding(*WORLDS) as source, databases.holding() as empty:
        await back_up(settings_of(source), file, RecordedProgress(), NOW, is_sealed)
        for path, target, reason in (
            (file, source, "holds data already"),
            (tmp_path / "none", empty, "there is no backup"),
            (foreign, empty, "file is not a database"),
            (newer, empty, "has schema 999"),
        ):
            with pytest.raises(GrapevineError, match=reason):
                await restore(settings_of(target), path, RecordedProgress(), NOW)
        assert set(map(len, (await everything(empty)).values())) == {0}


async def test_a_backup_of_an_earlier_version_is_brought_up_to_date(databases: Databases, tmp_path: Path) -> None:
    old = tmp_path / "old.sqlite3"
    with closing(sqlite3.connect(old)) as connection:
        first, *_ = sql_loader.migrations()
        connection.executescript(sql_loader.for_dialect("sqlite", first.text))
        connection.execute("PRAGMA user_version=1")
        connection.execute("INSERT INTO salts VALUES ('nonce', 0, 'aa'), ('visitor', 9, 'bb')")
        connection.commit()
    await back_up(Settings(database=f"sqlite:///{old}"), tmp_path / "backup", RecordedProgress(), NOW, is_sealed)
    content = (tmp_path / "backup").read_bytes()
    async with databases.holding() as target:
        await restore(settings_of(target), tmp_path / "backup", RecordedProgress(), NOW)
        assert (await everything(target))["salts"] == [("nonce", 0, "aa")]
    assert (tmp_path / "backup").read_bytes() == content


def test_keys_go_where_there_are_none(tmp_path: Path) -> None:
    file = tmp_path / "backup"
    settings = Settings(database=f"sqlite:///{tmp_path}/data.sqlite3")
    assert restore_keys(settings, file) is None
    (tmp_path / "backup.keys").write_bytes(KEY + b"\n")
    assert restore_keys(Settings(database=settings.database, secret_keys=(KEY,)), file) is None
    assert restore_keys(Settings(database="postgresql://host/database"), file) is None
    assert restore_keys(settings, file) == tmp_path / "secret-keys"
    assert (tmp_path / "secret-keys").read_bytes() == KEY + b"\n"
    assert stat.S_IMODE((tmp_path / "secret-keys").stat().st_mode) == 0o600
    assert restore_keys(settings, file) is None
