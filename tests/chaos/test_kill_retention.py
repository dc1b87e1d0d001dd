"""``kill -9`` while the server deletes visits past retention: numbers agree, and the next server goes on."""

from __future__ import annotations

import asyncio
import random
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import asyncpg
import pytest

from grapevine.domain import ids
from grapevine.serving.app import system_clock
from grapevine.store.copy.schema import all_tables
from tests.chaos.audit import counts_agree
from tests.store.world import DAYS, FIRST_DAY, grow, rows_of
from tests.support.server_process import Installation, PostgresInstallation

pytestmark = pytest.mark.anyio

VISITS: Final = 1_000
KEPT: Final = FIRST_DAY + DAYS - 1
"""The first day that the servers keep: the last one of the world."""
OLD: Final = f"SELECT count(*) FROM visits WHERE visit_id < {ids.pack(KEPT, 0, 0)}"
"""How many visits are left that are past retention."""
LATEST_SECONDS: Final = 0.2
"""A kill comes at the latest so long after the server is ready, in the middle of the deletion or before it."""
COLUMNS: Final = {table.name: table.names for table in all_tables()}


@pytest.mark.parametrize("kills", [3, pytest.param(50, marks=pytest.mark.slow)])
async def test_killed_while_it_deletes(installation: Installation, kills: int) -> None:
    fill(installation.database)
    await killed_while_it_deletes(installation, kills)


@pytest.mark.slow
async def test_killed_while_it_deletes_in_postgres(postgres_installation: PostgresInstallation) -> None:
    await fill_there(postgres_installation.url)
    await killed_while_it_deletes(postgres_installation, 20)


async def killed_while_it_deletes(installation: Installation, kills: int) -> None:
    """Kills one server after the other while it deletes; the last one ends the work."""
    installation.more_settings["GRAPEVINE_RETENTION_DAYS"] = str(ids.day_at(system_clock()) - KEPT)
    moments = random.Random(kills)  # noqa: S311
    left = [await number_old(installation)]
    for _ in range(kills):
        with installation.serving() as server:
            await asyncio.sleep(moments.uniform(0, LATEST_SECONDS))
            server.kill()
        await counts_agree(installation)
        await installation.rows("DELETE FROM leases")  # a minute passes, and the killed server's lease with it
        left.append(await number_old(installation))
    assert left == sorted(left, reverse=True)
    with installation.serving() as server:
        while await number_old(installation):  # noqa: ASYNC110  # no process tells another one of it
            await asyncio.sleep(0.05)
        assert server.end().status == 0
    await counts_agree(installation)
    assert set(left) - {left[0], 0}, f"no kill came in the middle: {left}"


async def number_old(installation: Installation) -> int:
    ((number,),) = await installation.rows(OLD)
    return int(number)


def fill(database: Path) -> None:
    """Stores a world in days that have long passed."""
    with closing(sqlite3.connect(database)) as file, file:
        for table, rows in rows_of(grow(1, site_id=1, size=VISITS)).items():
            marks = ", ".join("?" * len(COLUMNS[table]))
            file.executemany(f"INSERT INTO {table} ({', '.join(COLUMNS[table])}) VALUES ({marks})", list(rows))


async def fill_there(url: str) -> None:
    """Stores the same world in PostgreSQL."""
    connection = await asyncpg.connect(url)
    try:
        for table, rows in rows_of(grow(1, site_id=1, size=VISITS)).items():
            await connection.copy_records_to_table(table, records=list(rows), columns=COLUMNS[table])
    finally:
        await connection.close()
