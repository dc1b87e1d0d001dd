"""Requests count alike on the fast path and through ASGI; what clients do to connections is counted."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any
from urllib.parse import urlsplit

import pytest

from grapevine.telemetry.request_tallies import STATUSES
from tests.support.in_process_server import ORIGIN, Server
from tests.support.user_agents import CHROME

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("server", ["socket"], indirect=True)]

DECLINED = {"X-Twice": "1, 2", "Expect": "100-continue"}
"""Headers that change nothing, and with which the fast path declines a request."""


def counted(server: Server) -> dict[str, Any]:
    """Everything that calls of pages count, but for how long they took."""
    state = server.state
    return {
        "accepted": dict(state.collect_api.accepted),
        "dropped": dict(state.collect_api.drops.totals),
        "answers": {
            (route, STATUSES[place]): number
            for route, tally in state.telemetry.requests.items()
            for place, number in enumerate(tally.statuses)
        },
        "timed": {route: tally.count for route, tally in state.telemetry.requests.items()},
    }


def difference(before: dict[str, Any], after: dict[str, Any]) -> dict[str, Any]:
    return {
        kind: {name: after[kind][name] - number for name, number in before[kind].items() if after[kind][name] != number}
        for kind in before
    }


async def traffic(server: Server, nonce: str, **more: str) -> None:
    """One call of each kind, and refusals, with these headers."""
    client = server.browser(**more)
    first = (await server.post("visits", client, nonce=nonce * 16)).json()
    token, session = first["tokens"]["copy"], first["session"]
    await server.post("visits", client, nonce=nonce * 16)
    await server.post("views", client, session=session, nonce=nonce * 16)
    await server.post("shares", client, session=session, token=token)
    await server.post("conversions", client, session=session, goal="order", nonce=nonce * 16)
    await server.post("answers", client, session=session, text="a friend", nonce=nonce * 16)
    await server.post("visits", client, site="nobody")
    await server.post("visits", client, url="x")
    await server.post("visits", server.browser(user_agent="Googlebot/2.1", **more))
    await client.post("/v1/visits", content="{")
    await client.post("/v1/visits", content="{}", headers={"Content-Type": "image/png"})
    for _ in range(3):
        await client.get(f"/s/{token}")


async def test_both_paths_count_alike(server: Server) -> None:
    start = counted(server)
    await traffic(server, "a")
    fast = difference(start, counted(server))
    assert fast["answers"]["visits", "2xx"] == 3
    assert fast["answers"]["short-link", "3xx"] == 3
    assert server.state.fast_path.links.redirects == 2
    middle = counted(server)
    await traffic(server, "b", **DECLINED)
    assert difference(middle, counted(server)) == fast
    assert sum(fast["answers"].values()) == sum(fast["timed"].values())


async def test_connections_and_bounds_are_counted(server: Server) -> None:
    host, port = urlsplit(server.url or "").netloc.split(":")
    telemetry = server.state.telemetry
    before = telemetry.connections
    long_url = b"GET /%b HTTP/1.1\r\nhost: x\r\n\r\n" % (b"a" * 9_000)
    long_head = b"GET / HTTP/1.1\r\nhost: x\r\nx: %b\r\n\r\n" % (b"a" * 17_000)
    answers = []
    for request in (long_url, long_head):
        reader, writer = await asyncio.open_connection(host, int(port))
        writer.write(request)
        answers.append((await asyncio.wait_for(reader.read(12), 60))[9:])
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()
    assert answers == [b"414", b"431"]
    assert {name: hits for name, hits in telemetry.bound_hits.items() if hits} == {"request-url": 1, "request-head": 1}
    _, writer = await asyncio.open_connection(host, int(port))
    async with asyncio.timeout(60):
        while telemetry.connections != before + 1:  # noqa: ASYNC110
            await asyncio.sleep(0.01)
        writer.close()
        await writer.wait_closed()
        while telemetry.connections != before:  # noqa: ASYNC110
            await asyncio.sleep(0.01)


async def test_requests_that_wait_on_one_connection(server: Server) -> None:
    host, port = urlsplit(server.url or "").netloc.split(":")
    head = f"GET /healthz HTTP/1.1\r\nHost: x\r\nUser-Agent: {CHROME}\r\nOrigin: {ORIGIN}\r\n\r\n".encode()
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(head * 60)
    found = b""
    async with asyncio.timeout(60):
        while found.count(b"HTTP/1.1 200") < 60:
            found += await reader.read(65_536)
    writer.close()
    await writer.wait_closed()
    assert server.state.telemetry.bound_hits["pipelined"] >= 1
    assert server.state.telemetry.requests["health"].count == 60
