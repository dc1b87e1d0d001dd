"""What a request leaves behind is free at once: no reference cycle waits for the garbage collector.

Its passes are rare (``serving.runtime``), and what has lived through one is looked at again much later, so a cycle per
request or per connection is memory that grows for hours.
"""

from __future__ import annotations

import asyncio
import gc
import time
from collections import Counter
from collections.abc import Iterator

import pytest

from grapevine.serving.fast_path import limits
from grapevine.serving.fast_path.limits import ConnectionsPerAddress
from grapevine.serving.server import Server as ListeningServer
from tests.support.in_process_server import ORIGIN, Server
from tests.support.raw_connection import connected, request

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("server", ["socket"], indirect=True)]

CONNECTIONS = 20
PATIENCE_SECONDS = 20
OURS = ("grapevine.", "uvicorn.", "starlette.")
VISIT = {"site": "site-a", "url": f"{ORIGIN}/x", "channels": ["copy"]}


def visit(nonce: str = "n" * 20, **headers: str) -> bytes:
    return request("POST", "/v1/visits", VISIT | {"nonce": nonce}, headers)


def damaged(data: bytes) -> bytes:
    return data[:-3] + b"\xff" + data[-2:]


HALF = "half a body"
TOKEN = "the-token-of-a-visit"
REQUESTS = {
    "a visit": visit(),
    "a visit through ASGI": visit(connection="close"),
    "a body that is no JSON": damaged(visit()),
    "the same through ASGI": damaged(visit(connection="close")),
    "a wrong nonce": visit("short"),
    "a foreign origin": visit(origin="https://other.example"),
    "a view of an unknown visit": request("POST", "/v1/views", {"site": "site-a", "session": "x"}),
    "a wrong type": visit(**{"content-type": "text/html"}),
    HALF: visit()[:-5],
    "no HTTP": b"\x01\x02\x03\r\n\r\n",
    "an unknown page": request("GET", "/nowhere"),
    "a followed link": request("GET", f"/s/{TOKEN}"),
    "a QR code": request("GET", f"/s/{TOKEN}/qr.svg"),
    "a page about a token": request("GET", f"/about/{TOKEN}"),
    "share counts": request("GET", f"/v1/counts?site=site-a&url={ORIGIN}/x"),
    "share counts of no site": request("GET", f"/v1/counts?site=site-z&url={ORIGIN}/x"),
    "the widget": request("GET", "/widget.js"),
    "readiness": request("GET", "/readyz"),
    "the page to sign in": request("GET", "/sign-in"),
    "a wrong sign-in": request(
        "POST", "/sign-in", headers={"content-type": "application/x-www-form-urlencoded", "content-length": "0"}
    ),
    "a read with a wrong key": request("GET", "/v1/stats/summary", headers={"authorization": "Bearer x"}),
    "an unknown link": request("GET", f"/s/{'A' * 20}"),
    "a read without a key": request("GET", "/v1/stats/summary"),
    "a long URL": request("GET", "/" + "a" * limits.MAX_URL),
    "a long head": request("GET", "/", None, {"x-padding": "a" * limits.MAX_HEAD}),
}


@pytest.fixture
def uncollected() -> Iterator[None]:
    """No pass of the collector while a test runs; cycles stay where they are.

    What was there before is frozen: the collector does not list it, and a worker of all tests has a million objects.
    """
    gc.disable()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()
        gc.enable()


def ours() -> Counter[str]:
    """The number of new objects of each class of ours, and of the web server's."""
    names = (f"{type(found).__module__}.{type(found).__qualname__}" for found in gc.get_objects())
    return Counter(name for name in names if name.startswith(OURS))


async def come_and_go(port: int, name: str, token: str) -> None:
    data = REQUESTS[name].replace(TOKEN.encode(), token.encode())
    for _ in range(CONNECTIONS):
        async with connected(port) as connection:
            await connection.send(data)
            if name != HALF:
                await connection.answer()


async def left_behind(before: Counter[str]) -> dict[str, int]:
    """Returns the classes of which there are as many more objects than ``before`` as connections were closed."""
    end = time.monotonic() + PATIENCE_SECONDS
    while True:
        found = {name: number for name, number in (ours() - before).items() if number >= CONNECTIONS // 2}
        if not found or time.monotonic() > end:
            return found
        await asyncio.sleep(0.05)  # the server has not seen the end of the last connections yet


@pytest.mark.usefixtures("uncollected")
@pytest.mark.parametrize("name", REQUESTS)
async def test_nothing_is_left_of_closed_connections(server: Server, name: str) -> None:
    assert server.url
    port = int(server.url.rpartition(":")[2])
    token = (await server.visit())["tokens"]["copy"]
    await come_and_go(port, name, token)  # fills caches that are made at the first use
    before = ours()
    await come_and_go(port, name, token)
    assert await left_behind(before) == {}


@pytest.mark.usefixtures("uncollected")
async def test_nothing_is_left_of_connections_beyond_the_bound(server: Server) -> None:
    listening = ListeningServer(server.app, addresses=ConnectionsPerAddress(1))
    serving = asyncio.create_task(listening.work())
    await listening.ready.wait()
    port = int(listening.url.rpartition(":")[2])
    async with connected(port):  # never asked anything, so it gives way to no other
        await _refused(port)
        before = ours()
        for _ in range(CONNECTIONS):
            await _refused(port)
        assert await left_behind(before) == {}
    listening.stop()
    await serving


async def _refused(port: int) -> None:
    async with connected(port) as connection:
        await connection.ended()
