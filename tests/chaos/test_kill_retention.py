"""``kill -9`` while the server deletes visits past retention: numbers agree, and the next server goes on."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import time
from contextlib import closing
from pathlib import Path
from typing import Final

import pytest

from grapevine.domain import ids
from grapevine.serving.app import system_clock
from grapevine.store.copy.schema import all_tables
from tests.chaos.audit import counts_agree
from tests.store.world import DAYS, FIRST_DAY, grow, rows_of
from tests.support.server_process import Installation

pytestmark = pytest.mark.anyio

VISITS: Final = 1_000
KEPT: Final = FIRST_DAY + DAYS - 1
"""The first day that the servers keep."""
LATEST_SECONDS: Final = 0.2
"""A kill comes at the latest so long after the server is ready, in the middle of the deletion or before it."""


class Deleting(Installation):
    """An installation whose servers keep the last day of a world."""

    def _settings(self) -> dict[str, str]:
        days = ids.day_at(system_clock()) - KEPT
        return super()._settings() | {"GRAPEVINE_RETENTION_DAYS": str(days)}


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
async def test_killed_while_it_deletes(installation: Installation, kills: int) -> None:
    deleting = Deleting(installation.folder, installation.logs, installation.site, installation.key)
    moments = random.Random(kills)  # noqa: S311
    fill(deleting.database)
    left = [old_visits(deleting.database)]
    for _ in range(kills):
        with deleting.serving() as server:
            await asyncio.sleep(moments.uniform(0, LATEST_SECONDS))
            server.kill()
        await counts_agree(deleting.database)
        left.append(old_visits(deleting.database))
    assert left == sorted(left, reverse=True)
    with deleting.serving() as server:
        await asyncio.to_thread(wait_until_deleted, deleting.database)
        assert server.end().status == 0
    await counts_agree(deleting.database)
    assert set(left) - {left[0], 0}, f"no kill came in the middle: {left}"


def fill(database: Path) -> None:
    """Stores a world in days that have long passed."""
    columns = {table.name: table.names for table in all_tables()}
    with closing(sqlite3.connect(database)) as file, file:
        for table, rows in rows_of(grow(1, site_id=1, size=VISITS)).items():
            names = ", ".join(columns[table])
            marks = ", ".join("?" * len(columns[table]))
            file.executemany(f"INSERT INTO {table} ({names}) VALUES ({marks})", list(rows))


def wait_until_deleted(database: Path) -> None:
    """Waits until no visit is left that is past retention."""
    while old_visits(database):
        time.sleep(0.05)


def old_visits(database: Path) -> int:
    """How many visits are left that are past retention."""
    with closing(sqlite3.connect(database)) as file:
        ((number,),) = file.execute("SELECT count(*) FROM visits WHERE visit_id < ?", (ids.pack(KEPT, 0, 0),))
    return int(number)
