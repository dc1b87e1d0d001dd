"""SIGTERM under load: the server stores and acknowledges every accepted event before it exits, with status 0."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from tests.chaos.audit import holds, settled
from tests.chaos.widget_load import WidgetLoad
from tests.support.raw_connection import ORIGIN, Connection, connected, request
from tests.support.server_process import PATIENCE_SECONDS, Installation

pytestmark = pytest.mark.anyio

ROUNDS = 5
HALF_SENT = 10


async def test_terminated_under_load(installation: Installation) -> None:
    load = WidgetLoad(installation.site, "terminated")
    for _ in range(ROUNDS):
        with installation.serving() as server:
            await load.settle(server.port)
            async with load.on(server.port):
                await load.reached(acknowledged=50)
                server.terminate()
                ended = await asyncio.to_thread(server.ended)
            assert ended == (0, "", "")
            holds(installation.database, load)
    assert load.cut > 0
    with installation.serving() as server:
        await load.settle(server.port)
        server.end()
    settled(installation.database, load)


@pytest.mark.parametrize("way", ["short", "usual"])
async def test_requests_in_flight_are_answered(installation: Installation, way: str) -> None:
    """A body half sent when the signal came is read to its end and stored, on the fast path and through ASGI."""
    load = WidgetLoad(installation.site, "in-flight")
    headers = {"expect": "100-continue"} if way == "usual" else {}
    with installation.serving() as server:
        async with asyncio.timeout(PATIENCE_SECONDS), AsyncExitStack() as stack:
            rest: list[tuple[str, Connection, bytes]] = []
            for number in range(HALF_SENT):
                nonce = f"half-sent-{number:020}"
                body = {"site": installation.site, "url": f"{ORIGIN}/", "nonce": nonce, "channels": ["copy"]}
                whole = request("POST", "/v1/visits", body, headers)
                connection = await stack.enter_async_context(connected(server.port))
                await connection.send(whole[:-20])
                if headers:
                    assert (await connection.answer()).status == 100
                rest.append((nonce, connection, whole[-20:]))
            async with connected(server.port) as other:
                assert (await other.ask("GET", "/healthz")).status == 200  # by now it has read the others' halves
                server.terminate()
                await other.ended()  # and now it has closed the idle connections
            for nonce, connection, half in rest:
                await connection.send(half)
                answer = await connection.answer()
                assert (answer.status, answer.headers["connection"]) == (200, "close")
                load.visits[nonce] = answer.json()["visit"]
        assert server.ended() == (0, "", "")
    settled(installation.database, load)
