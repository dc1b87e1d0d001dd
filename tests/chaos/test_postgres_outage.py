"""PostgreSQL is down or does not respond for a while: requests wait, then are refused, then served again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractContextManager, asynccontextmanager, contextmanager
from pathlib import Path
from typing import Final

import pytest

from tests.chaos.audit import settled_there
from tests.chaos.widget_load import WidgetLoad
from tests.support.postgres import Postgres, postgres
from tests.support.raw_connection import RawResponse, connected
from tests.support.server_process import PATIENCE_SECONDS, PostgresInstallation, ServerProcess

pytestmark = pytest.mark.anyio

OUTAGE_SECONDS: Final = 10
LONG_OUTAGE_SECONDS: Final = 60
SILENCE_SECONDS: Final = 8
REST_SECONDS: Final = 1.0
SOON_SECONDS: Final = 2.5
"""A second for the server, and a margin for a busy machine."""
WAITED_SECONDS: Final = 15
MEMORY_BYTES: Final = 32 << 20


@contextmanager
def gone(database: Postgres) -> Iterator[None]:
    database.stop("immediate")
    try:
        yield
    finally:
        database.start()


@contextmanager
def silent(database: Postgres) -> Iterator[None]:
    with database.frozen():
        yield


Outage = Callable[[Postgres], AbstractContextManager[None]]


@pytest.mark.parametrize(
    ("outage", "seconds"),
    [
        pytest.param(gone, OUTAGE_SECONDS, id="gone", marks=pytest.mark.slow),
        pytest.param(gone, LONG_OUTAGE_SECONDS, id="gone for a minute", marks=pytest.mark.slow),
        pytest.param(silent, SILENCE_SECONDS, id="silent"),
    ],
)
async def test_an_outage_under_load(outage: Outage, seconds: float, tmp_path: Path) -> None:
    with postgres(durable=True) as database:
        installation = PostgresInstallation(database.url(database.create()), tmp_path)
        load = WidgetLoad(installation.site, "outage", REST_SECONDS)
        with installation.serving() as server:
            async with load.on(server.port, browsers=16):
                await load.reached(acknowledged=300)
                before = server.resident()
                async with _during(outage(database)):
                    await _says(server, "/readyz", 503)
                    await _refused(load)
                    async with asyncio.timeout(PATIENCE_SECONDS):
                        await asyncio.sleep(seconds)
                    assert (await _ask(server, "/readyz", SOON_SECONDS)).status == 503
                    assert (await _ask(server, "/healthz", SOON_SECONDS)).status == 200
                await _says(server, "/readyz", 200)
                await load.reached(acknowledged=100)
            assert load.cut == 0
            assert server.resident() - before < MEMORY_BYTES
            await load.settle(server.port)
            await load.repeat(server.port)
            ended = server.end()
            assert ended.status == 0
        assert "Traceback" not in ended.err
        assert ended.err.count("\n") < 10 + seconds, ended.err
        await settled_there(installation.url, load)


@pytest.mark.slow
async def test_terminated_in_an_outage(tmp_path: Path) -> None:
    """SIGTERM ends the server nevertheless, and the next server has every acknowledged event."""
    with postgres(durable=True) as database:
        installation = PostgresInstallation(database.url(database.create()), tmp_path)
        load = WidgetLoad(installation.site, "outage-to-the-end", REST_SECONDS)
        with installation.serving() as server:
            async with load.on(server.port):
                await load.reached(acknowledged=100)
                async with _during(silent(database)):
                    await _refused(load)
                    server.terminate()
                    ended = await asyncio.to_thread(server.ended)
            assert (ended.status, ended.out) == (0, "")
            assert "Traceback" not in ended.err
        with installation.serving() as server:
            await load.settle(server.port)
            server.end()
        await settled_there(installation.url, load)


@asynccontextmanager
async def _during(outage: AbstractContextManager[None]) -> AsyncIterator[None]:
    await asyncio.to_thread(outage.__enter__)
    try:
        yield
    finally:
        await asyncio.to_thread(outage.__exit__, None, None, None)


async def _refused(load: WidgetLoad) -> None:
    """Returns when requests have waited long enough and were refused."""
    async with asyncio.timeout(WAITED_SECONDS):
        await load.reached(refused=8)


async def _says(server: ServerProcess, path: str, status: int) -> None:
    """Returns when the response is that one, which must be soon."""
    async with asyncio.timeout(SOON_SECONDS):
        while True:
            if (await _ask(server, path, SOON_SECONDS)).status == status:
                return
            await asyncio.sleep(0.05)


async def _ask(server: ServerProcess, path: str, seconds: float) -> RawResponse:
    async with asyncio.timeout(seconds), connected(server.port) as connection:
        return await connection.ask("GET", path)
