"""Several workers on one address and one PostgreSQL database: any of them may be killed, or their parent."""

from __future__ import annotations

import asyncio
import os
import signal
from pathlib import Path

import pytest

from tests.chaos.audit import settled_there
from tests.chaos.widget_load import WidgetLoad
from tests.support.server_process import PATIENCE_SECONDS, SERVE, PostgresInstallation

pytestmark = pytest.mark.anyio

WORKERS = 3


@pytest.fixture
def installation(postgres_url: str, tmp_path: Path) -> PostgresInstallation:
    """A database with one site."""
    return PostgresInstallation(postgres_url, tmp_path)


async def test_terminated_under_load(installation: PostgresInstallation) -> None:
    load = WidgetLoad(installation.site, "workers-terminated")
    with installation.serving([*SERVE, "--workers", str(WORKERS)]) as server:
        async with load.on(server.port):
            await load.reached(acknowledged=200)
            server.terminate()
            assert (await asyncio.to_thread(server.ended)).status == 0
    await _afterwards(installation, load)


async def test_a_worker_is_killed(installation: PostgresInstallation) -> None:
    """Another worker replaces it and takes over its clients."""
    load = WidgetLoad(installation.site, "worker-killed")
    with installation.serving([*SERVE, "--workers", str(WORKERS)]) as server:
        for _ in range(2):
            async with load.on(server.port, browsers=12):
                await load.reached(acknowledged=100)
                os.kill(server.workers()[0], signal.SIGKILL)
                await load.reached(acknowledged=100)
        await load.settle(server.port)
        assert server.end().status == 0
    await _afterwards(installation, load)


async def test_the_parent_is_killed(installation: PostgresInstallation) -> None:
    """None of the workers keeps running."""
    load = WidgetLoad(installation.site, "parent-killed")
    with installation.serving([*SERVE, "--workers", str(WORKERS)]) as server:
        workers = [os.pidfd_open(worker) for worker in server.workers()]
        assert len(workers) == WORKERS
        async with load.on(server.port):
            await load.reached(acknowledged=100)
            server.kill()
            for worker in workers:
                await _ended(worker)
    await _afterwards(installation, load)


async def _afterwards(installation: PostgresInstallation, load: WidgetLoad) -> None:
    with installation.serving() as server:
        await load.settle(server.port)
        server.end()
    await settled_there(installation.url, load)


async def _ended(process: int) -> None:
    """Returns when the process of a descriptor has ended, and closes that."""
    ended, loop = asyncio.Event(), asyncio.get_running_loop()
    loop.add_reader(process, ended.set)
    try:
        async with asyncio.timeout(PATIENCE_SECONDS):
            await ended.wait()
    finally:
        loop.remove_reader(process)
        os.close(process)
