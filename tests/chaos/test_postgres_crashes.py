"""Servers and PostgreSQL itself are killed under load: every acknowledged event is stored, and only once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.chaos.audit import settled_there
from tests.chaos.kill_in_turn import killed_in_turn
from tests.chaos.widget_load import WidgetLoad
from tests.support.postgres import Postgres, postgres
from tests.support.server_process import PostgresInstallation

pytestmark = pytest.mark.anyio

KILLS = 6
CRASHES = 3
LOSSES = 10
REST_SECONDS = 0.05
ALL_CONNECTIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"


@pytest.fixture
def database() -> Iterator[Postgres]:
    """A PostgreSQL server of the test's own, with full durability."""
    with postgres(durable=True) as server:
        yield server


async def test_servers_are_killed_in_turn(database: Postgres, tmp_path: Path) -> None:
    installation = PostgresInstallation(database.url(database.create()), tmp_path)
    load = WidgetLoad(installation.site, "killed-in-turn")
    await killed_in_turn(installation, load, KILLS)
    assert load.cut > KILLS
    await settled_there(installation.url, load)


async def test_postgres_crashes(database: Postgres, tmp_path: Path) -> None:
    """The servers keep running, at worst refuse requests, and recover without a restart."""
    installation = PostgresInstallation(database.url(database.create()), tmp_path)
    load, moments = WidgetLoad(installation.site, "crashed", REST_SECONDS), random.Random(2)  # noqa: S311
    with installation.serving() as one, installation.serving() as other:
        async with load.on(one.port, other.port):
            for _ in range(CRASHES):
                await load.reached(acknowledged=moments.randint(50, 200))
                await asyncio.to_thread(database.stop, "immediate")
                await asyncio.to_thread(database.start)
            await load.reached(acknowledged=200)
        assert load.cut == 0
        await load.settle(one.port)
        await load.repeat(other.port)
        assert [server.end().status for server in (one, other)] == [0, 0]
    await settled_there(installation.url, load)


@pytest.mark.slow
async def test_connections_are_lost(database: Postgres, tmp_path: Path) -> None:
    """Requests meanwhile wait a moment longer, and none is refused. No connection is killed again before the
    response, or a slow machine would turn many outages into one."""
    installation = PostgresInstallation(database.url(database.create()), tmp_path)
    load, moments = WidgetLoad(installation.site, "lost"), random.Random(3)  # noqa: S311
    with installation.serving() as one, installation.serving() as other:
        async with load.on(one.port, other.port):
            for _ in range(LOSSES):
                await load.reached(acknowledged=moments.randint(1, 80))
                await asyncio.to_thread(database.sql, ALL_CONNECTIONS)
                await load.answered()
            await load.reached(acknowledged=100)
        assert (load.cut, load.refused, len(load.owed)) == (0, 0, 0)
        assert [server.end().status for server in (one, other)] == [0, 0]
    await settled_there(installation.url, load)
