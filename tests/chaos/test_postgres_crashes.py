"""Servers and PostgreSQL itself are killed under load: what was acknowledged is there, and everything once."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.chaos.audit import holds_there, settled_there
from tests.chaos.load import Load
from tests.chaos.server import PostgresInstallation
from tests.postgres import Postgres, postgres

pytestmark = pytest.mark.anyio

KILLS = 6
CRASHES = 3
LOSSES = 10
REST_SECONDS = 0.05
ALL_CONNECTIONS = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"


@pytest.fixture
def database() -> Iterator[Postgres]:
    """A PostgreSQL server of the test's own, as durable as they come."""
    with postgres(durable=True) as server:
        yield server


async def test_servers_are_killed_in_turn(database: Postgres, tmp_path: Path) -> None:
    """Of two on one database one is killed, the other goes on, and a new one takes the place of the first."""
    installation = PostgresInstallation(database.url(database.create()), tmp_path)
    load, moments = Load(installation.site, "killed-in-turn"), random.Random(1)  # noqa: S311
    with ExitStack() as stack:
        servers = [stack.enter_context(installation.serving()) for _ in range(2)]
        for turn in range(KILLS):
            async with load.on(*(server.port for server in servers)):
                await load.reached(acknowledged=moments.randint(1, 60))
                servers[turn % 2].kill()
                await load.reached(acknowledged=30)
            await holds_there(installation.url, load)
            servers[turn % 2] = stack.enter_context(installation.serving())
            await load.settle(servers[turn % 2].port)
            await load.repeat(servers[1 - turn % 2].port)
        assert load.cut > KILLS
        assert [server.end().status for server in servers] == [0, 0]
    await settled_there(installation.url, load)


async def test_postgres_crashes(database: Postgres, tmp_path: Path) -> None:
    """The servers stay, refuse at worst, and go on by themselves."""
    installation = PostgresInstallation(database.url(database.create()), tmp_path)
    load, moments = Load(installation.site, "crashed", REST_SECONDS), random.Random(2)  # noqa: S311
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


async def test_connections_are_lost(database: Postgres, tmp_path: Path) -> None:
    """Whoever asks meanwhile waits a moment longer, and nobody is refused. Nobody loses a connection again before the
    answer, or a slow machine would make one outage of many."""
    installation = PostgresInstallation(database.url(database.create()), tmp_path)
    load, moments = Load(installation.site, "lost"), random.Random(3)  # noqa: S311
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
