"""One ``Host`` header, no more and no less, on the fast path and through ASGI alike."""

from __future__ import annotations

import asyncio

import pytest

from tests.serving.test_fast_path import VISIT, Wire, request
from tests.support.in_process_server import Server

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("server", ["socket"], indirect=True)]

VISIT_REQUEST = request("visits", VISIT)
HEALTH = b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n"
HOST = b"Host: x\r\n"


@pytest.mark.parametrize("asked", [VISIT_REQUEST, HEALTH], ids=["fast path", "asgi"])
@pytest.mark.parametrize(
    "hosts",
    [b"", HOST + HOST, HOST + b"Host: evil.example\r\n", b"Host:\r\n", b"Host: a/b\r\n", b"Host: me@x\r\n"],
    ids=["none", "twice the same", "two", "empty", "with a path", "with a user"],
)
async def test_a_host_that_is_none_is_refused(server: Server, asked: bytes, hosts: bytes) -> None:
    assert asked.count(HOST) == 1
    answer = await Wire(server.url).ask(asked.replace(HOST, hosts))
    assert answer.startswith(b"HTTP/1.1 400 "), answer
    assert b'"code":"malformed"' in answer
    assert b"\r\ncontent-security-policy: " in answer
    assert (await Wire(server.url).ask(asked)).startswith(b"HTTP/1.1 200 ")


async def test_a_health_check_of_http_1_0_needs_no_host(server: Server) -> None:
    reader, writer = await asyncio.open_connection(*Wire(server.url).address)
    writer.write(b"GET /healthz HTTP/1.0\r\n\r\n")
    assert (await asyncio.wait_for(reader.readline(), 20)).split()[1] == b"200"
    writer.close()
    await writer.wait_closed()


async def test_what_is_no_http_is_refused_with_the_headers_of_every_answer(server: Server) -> None:
    answer = await Wire(server.url).ask(b"GET / HTTP/1.1\r\nHost : x\r\n\r\n")
    assert answer.startswith(b"HTTP/1.1 400 ")
    assert b"\r\nx-content-type-options: nosniff\r\n" in answer
    assert b"\r\nconnection: close\r\n" in answer
