"""A cluster under load: a worker is down for a while, connections to all workers are lost, servers are killed.

Collected where GRAPEVINE_TEST_CITUS names a cluster, whose user has to be a superuser: a worker is made to refuse this
database's connections and loses those that it has, as the coordinator's user on that worker's port.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from tests.chaos.audit import settled_there
from tests.chaos.kill_in_turn import killed_in_turn
from tests.chaos.widget_load import WidgetLoad
from tests.support.citus import CITUS, Cluster
from tests.support.server_process import PostgresInstallation

pytestmark = pytest.mark.anyio

KILLS: Final = 4
LOSSES: Final = 5
REST_SECONDS: Final = 0.2
WORKERS: Final = "SELECT node_name, node_port FROM citus_get_active_worker_nodes() ORDER BY node_port"
END_CONNECTIONS: Final = (
    "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity WHERE datname = $1 AND pid <> pg_backend_pid()"
)


class Worker:
    """A worker's server, reached directly and not through the coordinator."""

    def __init__(self, host: str, port: int) -> None:
        parts = urlsplit(CITUS)
        self.database = parts.path.strip("/")
        user = parts.netloc.rpartition("@")[0]
        self._url = urlunsplit(parts._replace(netloc=f"{user}@{host}:{port}", path="/postgres"))

    async def lose_connections(self) -> int:
        """Ends all connections to the database; returns their number."""
        return int(await self._run(END_CONNECTIONS, self.database))

    @asynccontextmanager
    async def away(self) -> AsyncIterator[None]:
        """Takes no connections to the database during the block."""
        await self._run(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS false")
        try:
            await self.lose_connections()
            yield
        finally:
            await self._run(f"ALTER DATABASE {self.database} ALLOW_CONNECTIONS true")

    async def _run(self, text: str, *values: str) -> int:
        connection = await asyncpg.connect(self._url)
        try:
            return await connection.fetchval(text, *values) or 0
        finally:
            await connection.close()


async def workers() -> list[Worker]:
    connection = await asyncpg.connect(CITUS)
    try:
        return [Worker(*row) for row in await connection.fetch(WORKERS)]
    finally:
        await connection.close()


@pytest.fixture
def installation(citus: Cluster, tmp_path: Path) -> Iterator[PostgresInstallation]:
    """Distributed tables of the test's own, and a site."""
    name = citus.create()
    yield PostgresInstallation(citus.url(name), tmp_path)
    citus.drop(name)


async def test_a_worker_is_away(installation: PostgresInstallation) -> None:
    """Events of its shards are refused, the rest goes on; no connection is lost, and every event is stored once."""
    load = WidgetLoad(installation.site, "away", REST_SECONDS)
    _, worker = await workers()
    with installation.serving() as server:
        async with load.on(server.port, browsers=16):
            await load.reached(acknowledged=300)
            async with worker.away():
                await load.reached(refused=20)
                await load.reached(acknowledged=100)
            await load.reached(acknowledged=300)
        assert load.cut == 0
        await load.settle(server.port)
        await load.repeat(server.port)
        ended = server.end()
        assert ended.status == 0
        assert "Traceback" not in ended.err
    await settled_there(installation.url, load)


async def test_a_day_begins_while_a_worker_is_away(installation: PostgresInstallation) -> None:
    """A server starts, and the new day's salt is written, since only the coordinator has it."""
    first, worker = await workers()
    load = WidgetLoad(installation.site, "day", REST_SECONDS)
    async with worker.away():
        with installation.serving() as server:  # its slot and the day's salt are new
            async with load.on(server.port):
                await load.reached(acknowledged=20)
            await load.answered()
    async with first.away():
        with installation.serving() as server:
            async with load.on(server.port):
                await load.reached(acknowledged=20)
            server.end()
    with installation.serving() as server:
        await load.settle(server.port)
        server.end()
    await settled_there(installation.url, load)


async def test_connections_to_the_workers_are_lost(installation: PostgresInstallation) -> None:
    """Requests meanwhile wait a moment longer, and none is refused."""
    load, moments = WidgetLoad(installation.site, "lost"), random.Random(3)  # noqa: S311
    both = await workers()
    with installation.serving() as one, installation.serving() as other:
        async with load.on(one.port, other.port):
            for turn in range(LOSSES):
                await load.reached(acknowledged=moments.randint(1, 80))
                assert await both[turn % 2].lose_connections()
            await load.reached(acknowledged=100)
        assert (load.cut, load.refused) == (0, 0)
        await load.settle(one.port)
        assert [server.end().status for server in (one, other)] == [0, 0]
    await settled_there(installation.url, load)


async def test_servers_are_killed_in_turn(installation: PostgresInstallation) -> None:
    load = WidgetLoad(installation.site, "killed-in-turn")
    await killed_in_turn(installation, load, KILLS)
    await settled_there(installation.url, load)
