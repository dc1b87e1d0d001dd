"""Several workers on one address and one file: any of them may be killed, or the one that watches over them.

One of them records, and the others serve.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal

import pytest

from tests.support.audit import settled
from tests.support.load import Load
from tests.support.server import PATIENCE_SECONDS, SERVE, Installation

pytestmark = pytest.mark.anyio

WORKERS = 3
KILLS = 2
SERVING, RECORDING = "grapevine.serving.worker", "grapevine.recording.process"


async def test_terminated_under_load(installation: Installation) -> None:
    load = Load(installation.site, "workers-terminated")
    with installation.serving([*SERVE, "--workers", str(WORKERS)]) as server:
        async with load.on(server.port):
            await load.reached(acknowledged=200)
            server.terminate()
            assert (await asyncio.to_thread(server.ended)).status == 0
    await _afterwards(installation, load)


async def test_a_worker_is_killed(installation: Installation) -> None:
    """Another one takes its place, and its clients."""
    load = Load(installation.site, "worker-killed")
    with installation.serving([*SERVE, "--workers", str(WORKERS)]) as server:
        for _ in range(2):
            async with load.on(server.port, browsers=12):
                await load.reached(acknowledged=100)
                os.kill(server.workers(SERVING)[0], signal.SIGKILL)
                await load.reached(acknowledged=100)
        await load.settle(server.port)
        assert server.end().status == 0
    await _afterwards(installation, load)


async def test_the_one_that_records_is_killed(installation: Installation) -> None:
    """Whoever asks meanwhile waits until another one has taken its place, and nobody is refused or cut off."""
    load, moments = Load(installation.site, "recording-killed"), random.Random(0)  # noqa: S311
    with installation.serving([*SERVE, "--workers", str(WORKERS)]) as server:
        async with load.on(server.port):
            for _ in range(KILLS):
                await load.reached(acknowledged=moments.randint(60, 100))
                await load.answered()
                os.kill(server.workers(RECORDING)[0], signal.SIGKILL)
                await load.reached(acknowledged=1)
        await load.repeat(server.port)
        assert (load.cut, load.refused) == (0, 0)
        assert server.end().status == 0
    await _afterwards(installation, load)


async def test_the_parent_is_killed(installation: Installation) -> None:
    """None of the workers stays behind."""
    load = Load(installation.site, "parent-killed")
    with installation.serving([*SERVE, "--workers", str(WORKERS)]) as server:
        workers = [os.pidfd_open(worker) for worker in server.workers()]
        assert len(workers) == WORKERS
        async with load.on(server.port):
            await load.reached(acknowledged=100)
            server.kill()
            for worker in workers:
                await _ended(worker)
    await _afterwards(installation, load)


async def _afterwards(installation: Installation, load: Load) -> None:
    with installation.serving() as server:
        await load.settle(server.port)
        server.end()
    settled(installation.database, load)


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
