"""Clients that send byte by byte, or never end a request: other clients do not wait, and the slow ones are closed."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from tests.chaos.audit import settled
from tests.chaos.serve_with_clock import OffsetFile, launched
from tests.chaos.widget_load import WidgetLoad
from tests.support.raw_connection import ORIGIN, connected, request
from tests.support.server_process import PATIENCE_SECONDS, Installation

pytestmark = pytest.mark.anyio

SLOW = 200
SLOWLY = 140
"""How many bytes come one by one: the end of the headers and the whole body."""

CHUNKED = {"transfer-encoding": "chunked"}


def visit(site: str, nonce: str) -> bytes:
    """A visit as bytes."""
    return request("POST", "/v1/visits", {"site": site, "url": f"{ORIGIN}/", "nonce": nonce, "channels": ["copy"]})


@pytest.fixture
def offset(tmp_path: Path) -> OffsetFile:
    return OffsetFile(tmp_path / "offset")


async def test_byte_by_byte(installation: Installation, offset: OffsetFile) -> None:
    """While two hundred send a visit each, byte by byte, others are answered between them; then the slow ones are."""
    load = WidgetLoad(installation.site, "beside-slow-ones")
    nonces = [f"byte-by-byte-{number:03}" for number in range(SLOW)]
    visits = [visit(installation.site, nonce) for nonce in nonces]
    assert visits[0].index(b"\r\n\r\n") > len(visits[0]) - SLOWLY
    with installation.serving(launched(offset, request_seconds=PATIENCE_SECONDS)) as server:
        async with asyncio.timeout(PATIENCE_SECONDS), AsyncExitStack() as stack:
            slow = [await stack.enter_async_context(connected(server.port)) for _ in visits]
            async with load.on(server.port, browsers=1):
                for connection, whole in zip(slow, visits, strict=True):
                    await connection.send(whole[:-SLOWLY])
                for index in range(-SLOWLY, 0):
                    for connection, whole in zip(slow, visits, strict=True):
                        await connection.send(whole[index : index + 1 or None])
                    if index % 10 == 0:
                        await load.reached(acknowledged=1)
            for nonce, connection in zip(nonces, slow, strict=True):
                answer = await connection.answer()
                assert answer.status == 200
                load.visits[nonce] = answer.json()["visit"]
        assert server.end().status == 0
    settled(installation.database, load)


@pytest.mark.parametrize("first", [pytest.param(False, id="at once"), pytest.param(True, id="after another request")])
@pytest.mark.parametrize(
    "begun",
    [
        pytest.param(b"\r\n", id="next to nothing"),
        pytest.param(b"POST /v1/vi", id="request line"),
        pytest.param(b"POST /v1/visits HTTP/1.1\r\nhost: a\r\nx-", id="headers"),
        pytest.param(visit("", "")[:-5], id="body, fast path"),
        pytest.param(request("POST", "/v1/visits", headers=CHUNKED) + b"5\r\n{", id="body, through ASGI"),
    ],
)
async def test_begun_and_never_ended(installation: Installation, offset: OffsetFile, begun: bytes, first: bool) -> None:
    """After a while the server closes the connection, and logs nothing."""
    with installation.serving(launched(offset, request_seconds=1)) as server:
        async with asyncio.timeout(PATIENCE_SECONDS), connected(server.port) as slow:
            if first:
                assert (await slow.ask("GET", "/healthz")).status == 200
            await slow.send(begun)
            await slow.ended()
        assert server.end() == (0, "", "")


async def test_a_connection_that_never_says_anything(installation: Installation, offset: OffsetFile) -> None:
    """It is closed like a connection with an incomplete request."""
    with installation.serving(launched(offset, request_seconds=1)) as server:
        async with asyncio.timeout(PATIENCE_SECONDS), connected(server.port) as silent:
            await silent.ended()
        assert server.end() == (0, "", "")


async def test_a_body_that_never_comes_does_not_hold_up_the_end(installation: Installation, offset: OffsetFile) -> None:
    """SIGTERM waits for requests in flight, but not longer than for any other slow request."""
    with installation.serving(launched(offset, request_seconds=1)) as server:
        async with asyncio.timeout(PATIENCE_SECONDS), connected(server.port) as slow, connected(server.port) as other:
            await slow.send(visit(installation.site, "never-ends-000000")[:-5])
            assert (await other.ask("GET", "/healthz")).status == 200  # by now it has read the beginning
            server.terminate()
            await slow.ended()
        assert server.ended() == (0, "", "")
