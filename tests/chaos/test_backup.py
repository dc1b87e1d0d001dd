"""Backups under full load, and killed ones: a file that holds all that was acknowledged, or none."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sqlite3
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Final

import pytest

from tests.chaos.audit import holds, intact
from tests.chaos.widget_load import WidgetLoad
from tests.support.postgres import Postgres, postgres
from tests.support.server_process import PATIENCE_SECONDS, Installation, PostgresInstallation

pytestmark = pytest.mark.anyio

BEFORE: Final = 400
MEANWHILE: Final = 100
BALLAST_ROWS: Final = 60_000
BALLAST: Final = f"""
WITH RECURSIVE numbers (n) AS (SELECT 1 UNION ALL SELECT n + 1 FROM numbers WHERE n < {BALLAST_ROWS})
INSERT INTO pages (site_id, page_id, cell, day, url) SELECT 99, n, 0, 0, hex(randomblob(200)) FROM numbers"""
MOMENTS: Final = (0.0, 0.02, 0.1, 0.3, 0.5, 0.7, 0.9, 1.0)
"""At which part of the whole size a draft is when its process is killed."""


@pytest.fixture
def database() -> Iterator[Postgres]:
    """A PostgreSQL server of the test's own."""
    with postgres(durable=True) as server:
        yield server


def elsewhere(database: str) -> tuple[str, str]:
    """Returns the command that runs another one on another database."""
    return "env", f"GRAPEVINE_DATABASE={database}"


def visits(database: Path) -> int:
    with closing(sqlite3.connect(database)) as connection:
        ((number,),) = connection.execute("SELECT count(*) FROM visits").fetchall()
        return int(number)


async def backed_up_under_load(installation: Installation, file: Path) -> WidgetLoad:
    """Makes a backup while browsers report; returns the load whose events were acknowledged before it began."""
    before, meanwhile = (WidgetLoad(installation.site, name) for name in ("before", "meanwhile"))
    with installation.serving() as server:
        async with before.on(server.port):
            await before.reached(acknowledged=BEFORE)
        await before.settle(server.port)
        async with meanwhile.on(server.port):
            await meanwhile.reached(acknowledged=1)
            work = asyncio.create_task(asyncio.to_thread(installation.run, "backup", str(file), "--with-keys"))
            done = await work
            await meanwhile.reached(acknowledged=MEANWHILE)
        assert (done.status, meanwhile.refused, meanwhile.cut) == (0, 0, 0), done
        assert server.end().status == 0
    return before


async def restored(installation: Installation, file: Path, database: Path, before: WidgetLoad) -> None:
    """Restores the backup into a SQLite file; all is there, and what is sent again counts once."""
    done = installation.run("restore", str(file), "--json", before=elsewhere(f"sqlite:///{database}"))
    assert (done.status, json.loads(done.out)["ok"]) == (0, True), done
    holds(database, before)
    intact(database)
    there = visits(database)
    copy = Installation(database.parent, database.parent.parent, installation.site, installation.key)
    with copy.serving() as server:
        await before.repeat(server.port)
        assert server.end().status == 0
    assert visits(database) == there
    assert copy.run("doctor").status == 0


async def test_sqlite_under_load(installation: Installation, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    before = await backed_up_under_load(installation, file)
    holds(file, before)
    await restored(installation, file, tmp_path / "restored" / "grapevine.sqlite3", before)


@pytest.mark.slow
async def test_postgres_under_load(database: Postgres, tmp_path: Path) -> None:
    file = tmp_path / "backup"
    installation = PostgresInstallation(database.url(database.create()), tmp_path)
    before = await backed_up_under_load(installation, file)
    holds(file, before)
    done = installation.run("restore", str(file), before=elsewhere(database.url(database.create())))
    assert done.status == 0, done
    copy = Installation(installation.folder, tmp_path, installation.site, installation.key)
    await restored(copy, file, tmp_path / "restored" / "grapevine.sqlite3", before)


@pytest.mark.parametrize(
    "after", [MOMENTS[2], *(pytest.param(after, marks=pytest.mark.slow) for after in MOMENTS if after != MOMENTS[2])]
)
def test_killed(installation: Installation, tmp_path: Path, after: float) -> None:
    """No file, or a whole one; and the next backup succeeds."""
    with closing(sqlite3.connect(installation.database)) as connection:
        connection.execute(BALLAST)
        connection.commit()
    folder = tmp_path / "backups"
    folder.mkdir()
    size = installation.database.stat().st_size
    environ = os.environ | {"GRAPEVINE_DATABASE": f"sqlite:///{installation.database}"}
    command = [sys.executable, "-m", "grapevine", "backup", str(folder / "backup"), "--with-keys"]
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL) as process:  # noqa: S603
        until = time.monotonic() + PATIENCE_SECONDS
        while not _grown(folder, after * size) and process.poll() is None:
            assert time.monotonic() < until
        process.kill()
        status = process.wait(PATIENCE_SECONDS)
    assert status in (-signal.SIGKILL, 0)
    file = folder / "backup"
    if file.exists():
        _whole(file)
        file.unlink()
    else:
        assert status == -signal.SIGKILL
    file.with_name("backup.keys").unlink(missing_ok=True)
    assert installation.run("backup", str(file)).status == 0
    _whole(file)


def _grown(folder: Path, size: float) -> bool:
    """Whether there is a draft of at least that size, or the file itself."""
    for path in folder.iterdir():
        with suppress(FileNotFoundError):  # a draft has just got its name
            if path.name.endswith((".draft", "backup")) and path.stat().st_size >= size:
                return True
    return False


def _whole(file: Path) -> None:
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        assert connection.execute("SELECT count(*) FROM pages WHERE site_id = 99").fetchall() == [(BALLAST_ROWS,)]
