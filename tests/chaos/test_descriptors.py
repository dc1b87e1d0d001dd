"""No file descriptors left: connections that are there work on, and new ones do as soon as others have closed."""

from __future__ import annotations

import asyncio
import resource
from contextlib import AsyncExitStack

import pytest

from tests.chaos.audit import settled
from tests.chaos.widget_load import WidgetLoad
from tests.support.raw_connection import Cut, connected
from tests.support.server_process import PATIENCE_SECONDS, Installation, ServerProcess

pytestmark = pytest.mark.anyio

BROWSERS = 8
ROOM = 16
TOO_MANY = 200


async def test_exhausted_under_load(installation: Installation) -> None:
    load = WidgetLoad(installation.site, "descriptors")
    with installation.serving() as server:
        async with connected(server.port) as steady, load.on(server.port, browsers=BROWSERS):
            await load.reached(acknowledged=20)
            server.limit(resource.RLIMIT_NOFILE, server.descriptors() + ROOM)
            async with AsyncExitStack() as crowd:
                for _ in range(TOO_MANY):
                    await crowd.enter_async_context(connected(server.port))
                assert await _answers_nobody_new(server)
                assert (await steady.ask("GET", "/healthz")).status == 200
                await load.reached(acknowledged=100)
            await _answers_again(server)
            await load.reached(acknowledged=100)
        assert load.cut == 0
        await load.settle(server.port)
        assert server.end().status == 0
    settled(installation.database, load)


async def _answers_nobody_new(server: ServerProcess) -> bool:
    """Whether a new connection is turned away or left waiting while the crowd holds on."""
    try:
        async with asyncio.timeout(1), connected(server.port) as late:
            await late.ask("GET", "/healthz")
    except (Cut, TimeoutError):
        return True
    return False


async def _answers_again(server: ServerProcess) -> None:
    """Returns when a new connection is served: the server first has to notice that the others are gone."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while True:
            try:
                async with asyncio.timeout(5), connected(server.port) as new:
                    assert (await new.ask("GET", "/healthz")).status == 200
                    return
            except (Cut, TimeoutError):
                continue
