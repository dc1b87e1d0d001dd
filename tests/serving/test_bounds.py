"""What a client may send, queue and leave unread, to the byte; and that a refusal keeps the order of answers."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, suppress
from typing import Any
from urllib.parse import urlsplit

import pytest

from grapevine.serving.fast_path import features
from grapevine.serving.fast_path.bounds import BoundedProtocol
from grapevine.serving.fast_path.limits import (
    LINGER_BYTES,
    MAX_HEAD,
    MAX_HEADERS,
    MAX_PIPELINED,
    MAX_URL,
)
from grapevine.serving.server import Server as ListeningServer
from tests.support.in_process_server import ORIGIN, Server
from tests.support.raw_connection import Connection, Cut, RawResponse, connected, request

pytestmark = [pytest.mark.anyio]
ON_A_SOCKET = pytest.mark.parametrize("server", ["socket"], indirect=True)
PIECES = pytest.mark.parametrize("size", [pytest.param(1 << 20, id="at once"), 700])

VISIT: dict[str, Any] = {"site": "site-a", "url": f"{ORIGIN}/x", "channels": []}
CHUNKED = {"transfer-encoding": "chunked"}


def padded(first: str, size: int, *headers: str) -> bytes:
    """A request without a body whose head has so many bytes."""
    rest = "\r\n".join([first, "Host: x", *headers, "X-Padding: "])
    return f"{rest}{'a' * (size - len(rest) - 4)}\r\n\r\n".encode()


def port_of(server: Server) -> int:
    port = urlsplit(server.url or "").port
    assert port is not None
    return port


def pieces(data: bytes, size: int) -> Iterator[bytes]:
    return (data[start : start + size] for start in range(0, len(data), size))


async def send(connection: Connection, data: bytes, size: int) -> None:
    for piece in pieces(data, size):
        await connection.send(piece)
        await asyncio.sleep(0)  # the server reads it


async def send_all(connection: Connection, data: Iterator[bytes]) -> None:
    for piece in data:
        await connection.send(piece)


async def answers(connection: Connection) -> list[RawResponse]:
    """What comes until the connection ends."""
    found = []
    async with asyncio.timeout(20):
        while True:
            try:
                found.append(await connection.answer())
            except Cut:
                return found


async def refused(server: Server, data: bytes, size: int = 1 << 20) -> RawResponse:
    """The one answer to what is sent, after which the connection ends."""
    async with connected(port_of(server)) as connection:
        await send(connection, data, size)
        (answer,) = await answers(connection)
    assert answer.headers["connection"] == "close"
    return answer


async def accepted(server: Server, data: bytes, size: int = 1 << 20) -> RawResponse:
    """The answer to what is sent, after which the connection still works."""
    async with asyncio.timeout(20), connected(port_of(server)) as connection:
        await send(connection, data, size)
        answer = await connection.answer()
        assert (await connection.ask("GET", "/healthz")).status == 200
        return answer


@ON_A_SOCKET
@PIECES
async def test_the_head(server: Server, size: int) -> None:
    assert (await accepted(server, padded("GET /healthz HTTP/1.1", MAX_HEAD), size)).status == 200
    answer = await refused(server, padded("GET /healthz HTTP/1.1", MAX_HEAD + 1), size)
    assert (answer.status, answer.json()["code"]) == (431, "head-too-large")
    assert answer.headers["content-type"] == "application/problem+json"


@ON_A_SOCKET
@PIECES
async def test_the_head_of_a_collect_call(server: Server, size: int) -> None:
    """The fast path has the same bound."""
    body = json.dumps(VISIT | {"nonce": "n" * 16}).encode()
    headers = (f"Origin: {ORIGIN}", "User-Agent: Mozilla/5.0 (X11)", f"Content-Length: {len(body)}")
    most = padded("POST /v1/visits HTTP/1.1", MAX_HEAD, *headers) + body
    assert (await accepted(server, most, size)).status == 200
    more = padded("POST /v1/visits HTTP/1.1", MAX_HEAD + 1, *headers) + body
    assert (await refused(server, more, size)).status == 431


@ON_A_SOCKET
@PIECES
async def test_the_url(server: Server, size: int) -> None:
    assert (await accepted(server, padded(f"GET /{'a' * (MAX_URL - 1)} HTTP/1.1", 9_000), size)).status == 404
    answer = await refused(server, padded(f"GET /{'a' * MAX_URL} HTTP/1.1", 9_000), size)
    assert (answer.status, answer.json()["code"]) == (414, "url-too-long")


@ON_A_SOCKET
@PIECES
async def test_the_headers(server: Server, size: int) -> None:
    lines = [f"X-{number}: 1" for number in range(MAX_HEADERS)]
    for more, status in ((1, 200), (0, 431)):
        data = "\r\n".join(["GET /healthz HTTP/1.1", "Host: x", *lines[more:], "", ""]).encode()
        answer = await (accepted if more else refused)(server, data, size)
        assert answer.status == status


@ON_A_SOCKET
@pytest.mark.parametrize(
    "endless",
    [
        pytest.param(b"GET /" + b"a" * MAX_HEAD * 2, id="url"),
        pytest.param(b"GET / HTTP/1.1\r\nX: " + b"a" * MAX_HEAD * 2, id="value"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"a" * MAX_HEAD * 2, id="name"),
        pytest.param(b"GET / HTTP/1.1\r\n" + b"a: b\r\n" * MAX_HEAD, id="headers"),
        pytest.param(b"\r\n" * MAX_HEAD, id="empty lines"),
        pytest.param(request("POST", "/v1/visits", headers=CHUNKED) + b"1;" + b"a" * MAX_HEAD * 2, id="extension"),
        pytest.param(request("POST", "/v1/visits", headers=CHUNKED) + b"1;a=1234567890123456\r\nx\r\n" * 4_000,
                     id="extensions"),
        pytest.param(request("POST", "/v1/visits", headers=CHUNKED) + b"0\r\n" + b"a: b\r\n" * MAX_HEAD, id="trailers"),
        pytest.param(request("POST", "/v1/visits", headers=CHUNKED) + b"0\r\na: " + b"a" * MAX_HEAD * 2, id="trailer"),
    ],
)  # fmt: skip
@PIECES
async def test_what_never_ends(server: Server, endless: bytes, size: int) -> None:
    """A request that has no end is refused as soon as it is too large, before it is here as a whole."""
    answer = await refused(server, endless, size)
    assert answer.status == (414 if endless.startswith(b"GET /aaa") else 431)


@ON_A_SOCKET
async def test_a_body_in_small_chunks_is_no_large_head(server: Server) -> None:
    body = json.dumps(VISIT | {"nonce": "c" * 16, "url": f"{ORIGIN}/{'u' * 1_900}"}).encode()
    chunks = b"".join(b"1\r\n%c\r\n" % byte for byte in body) + b"0\r\n\r\n"
    data = request("POST", "/v1/visits", headers=CHUNKED) + chunks
    assert (await accepted(server, data)).status == 200
    assert (await accepted(server, data, 100)).status == 200


@ON_A_SOCKET
async def test_a_body_that_is_too_large_is_still_refused_as_such(server: Server) -> None:
    data = request("POST", "/v1/visits", "x" * 300_000)
    assert (await accepted(server, data)).status == 413


@ON_A_SOCKET
async def test_a_refusal_is_read_by_a_client_that_goes_on_sending(server: Server) -> None:
    """The server does not cut the connection while bytes are on their way, unless they are many."""
    async with connected(port_of(server)) as connection:
        await connection.send(padded("GET /healthz HTTP/1.1", MAX_HEAD * 2))
        await asyncio.sleep(0.05)
        await connection.send(b"x" * 1_000)
        assert [answer.status for answer in await answers(connection)] == [431]
    async with connected(port_of(server)) as connection:
        endless = pieces(b"x: y\r\n" * LINGER_BYTES * 100, LINGER_BYTES)
        with pytest.raises(Cut):
            await send_all(connection, endless)


@ON_A_SOCKET
@pytest.mark.parametrize("call", ["visits", "visits through ASGI", "pages", "bodies in chunks"])
@PIECES
async def test_as_many_requests_wait_as_the_bound_says(
    server: Server, call: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a hundred that come at once, all are answered in their order; the server reads no further than it may."""
    waiting = [0]
    begin = BoundedProtocol.begin_body

    def watched(protocol: BoundedProtocol, length: int) -> None:
        begin(protocol, length)
        waiting.append(len(protocol.pipeline))

    monkeypatch.setattr(BoundedProtocol, "begin_body", watched)
    requests = [one_of(call, number) for number in range(100)]
    async with asyncio.timeout(60), connected(port_of(server)) as connection:
        await send(connection, b"".join(requests), size)
        found = [await connection.answer() for _ in requests]
        assert (await connection.ask("GET", "/healthz")).status == 200
        again = [await connection.ask("POST", "/v1/visits", numbered(number)) for number in (0, 42, 99)]
    assert {answer.status for answer in found} == {404 if call == "pages" else 200}
    assert {answer.headers.get("connection") for answer in found} == {None}
    assert MAX_PIPELINED // 2 <= max(waiting) <= MAX_PIPELINED
    if call != "pages":
        assert [found[number].json()["visit"] for number in (0, 42, 99)] == [one.json()["visit"] for one in again]
        assert await server.store.look("SELECT count(*) FROM visits") == [(len(requests),)]


def numbered(number: int) -> dict[str, Any]:
    """A visit that differs from others in its nonce, and in the length of its page."""
    return VISIT | {"nonce": f"row{number:013}", "url": f"{ORIGIN}/{'x' * (number % 7)}"}


def one_of(call: str, number: int) -> bytes:
    """A request; bodies hold what ends a head, and mean the same."""
    if call == "pages":
        return request("GET", f"/nowhere/{number}")
    body = b"\r\n\r\n" + json.dumps(numbered(number)).encode()
    if call == "bodies in chunks":
        chunks = b"%x\r\n%b\r\n%x\r\n%b\r\n0\r\n\r\n" % (9, body[:9], len(body) - 9, body[9:])
        return request("POST", "/v1/visits", headers=CHUNKED) + chunks
    twice = {"x-twice": "1\r\nX-Twice: 2"} if call == "visits through ASGI" else {}
    return request("POST", "/v1/visits", headers=twice | {"content-length": str(len(body))}) + body


@ON_A_SOCKET
@pytest.mark.parametrize("ahead", [1, 3])
@pytest.mark.parametrize(
    "bad",
    [
        pytest.param(b"NONSENSE\r\n\r\n", id="no HTTP"),
        pytest.param(padded("GET / HTTP/1.1", MAX_HEAD + 1), id="large"),
        pytest.param(request("POST", "/v1/visits", headers=CHUNKED) + b"0\r\na: " + b"a" * MAX_HEAD * 2, id="trailer"),
        pytest.param(request("POST", "/v1/visits", headers=CHUNKED) + b"zzz\r\n", id="no chunk"),
    ],
)
async def test_what_was_accepted_before_a_refusal_is_answered_first(server: Server, bad: bytes, ahead: int) -> None:
    """No answer to a later request may be taken for an answer to an earlier one."""
    visits = [request("POST", "/v1/visits", VISIT | {"nonce": f"row{number:013}"}) for number in range(ahead)]
    async with connected(port_of(server)) as connection:
        await connection.send(b"".join(visits) + bad)
        found = await answers(connection)
    assert [answer.status for answer in found] == [200] * ahead
    assert found[-1].headers["connection"] == "close"


@ON_A_SOCKET
@pytest.mark.parametrize("more", [(), ("X-Twice: 1", "X-Twice: 2")], ids=["fast path", "through ASGI"])
@pytest.mark.parametrize("zeros", [30, 4_400])
async def test_a_length_of_many_digits(server: Server, more: tuple[str, ...], zeros: int) -> None:
    """It is refused on both ways alike, though only zeros stand in front."""
    body = json.dumps(VISIT | {"nonce": "z" * 16}).encode()
    head = "\r\n".join([
        "POST /v1/visits HTTP/1.1", "Host: x", f"Origin: {ORIGIN}", "User-Agent: Mozilla/5.0 (X11)", *more,
        f"Content-Length: {len(body):0{zeros}}", "", "",
    ])  # fmt: skip
    answer = await refused(server, head.encode() + body)
    assert is_malformed(answer)


def is_malformed(answer: RawResponse) -> bool:
    assert answer.headers["content-type"] == "application/problem+json"
    return (answer.status, json.loads(answer.body)["code"]) == (400, "malformed")


@ON_A_SOCKET
@pytest.mark.parametrize(
    "sent",
    [
        b"FOO /healthz HTTP/1.1\r\nHost: x\r\n\r\n", b"NONSENSE\r\n\r\n", b"GET /healthz HTTX/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\nHost: x\r\nA B: c\r\n\r\n", b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
        b"POST /v1/visits HTTP/1.1\r\nHost: x\r\nContent-Length: many\r\n\r\n",
    ],
)  # fmt: skip
async def test_what_is_no_http_is_a_problem_too(server: Server, sent: bytes) -> None:
    assert is_malformed(await refused(server, sent))


async def until(happened: Callable[[], bool]) -> None:
    while not happened():  # noqa: ASYNC110
        await asyncio.sleep(0.01)


async def hang_up(*writers: asyncio.StreamWriter) -> None:
    for writer in writers:
        writer.close()
        with suppress(OSError):  # the server has cut it
            await writer.wait_closed()


@asynccontextmanager
async def listening(
    answer: bytes, held_until: asyncio.Event | None = None, **limits: Any
) -> AsyncIterator[ListeningServer]:
    """A server that answers everything alike, ``/held`` not before an event."""

    async def application(scope: dict[str, Any], receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            for message in ("startup", "shutdown"):
                await receive()
                await send({"type": f"lifespan.{message}.complete"})
            return
        if held_until is not None and scope["path"] == "/held":
            await held_until.wait()
        length = (b"content-length", b"%d" % len(answer))
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        for start in range(0, len(answer), 65_536):
            body = answer[start : start + 65_536]
            await send({"type": "http.response.body", "body": body, "more_body": start + 65_536 < len(answer)})

    server = ListeningServer(application, **limits)
    serving = asyncio.create_task(server.work())
    await server.ready.wait()
    try:
        yield server
    finally:
        server.stop()
        await serving


@pytest.fixture(params=[[], ["pipeline.pop"]], ids=["fast path", "plain protocol"])
def missing(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What uvicorn lacks of what the fast path relies on."""
    lacking: list[str] = request.param
    monkeypatch.setattr(features, "missing_features", lambda _: lacking)
    return lacking


@pytest.mark.parametrize("anyio_backend", [("asyncio", {"use_uvloop": uvloop}) for uvloop in (False, True)])
async def test_an_answer_that_nobody_reads_ends_the_connection(
    missing: list[str], caplog: pytest.LogCaptureFixture
) -> None:
    """One that is read slowly does not, however long that takes in all. Neither is an error."""
    large = b"x" * (8 << 20)
    async with listening(large, answer_seconds=2) as server:
        port = urlsplit(server.url).port or 0
        unread = await asyncio.open_connection("127.0.0.1", port, limit=1_024)
        slow = await asyncio.open_connection("127.0.0.1", port, limit=1_024)
        for _, writer in (unread, slow):
            writer.write(b"GET / HTTP/1.1\r\nhost: x\r\n\r\n")
        read, started = 0, asyncio.get_running_loop().time()
        while read < len(large):
            piece = await slow[0].read(256 << 10)
            assert piece
            read += len(piece)
            await asyncio.sleep(0.08)
        assert asyncio.get_running_loop().time() - started > 2
        async with asyncio.timeout(20):
            await until(lambda: len(server.server_state.connections) == 1)
        await hang_up(unread[1], slow[1])
    assert len(caplog.records) == len(missing)  # the server says that it goes without the fast path


@pytest.mark.parametrize(
    ("missing", "status"), [([], 431), (["pipeline.pop"], 400)], indirect=["missing"], ids=["fast path", "plain"]
)
@pytest.mark.usefixtures("missing")
async def test_a_head_is_bounded_without_the_fast_path_too(status: int) -> None:
    async with listening(b"ok") as server, connected(urlsplit(server.url).port or 0) as connection:
        await connection.send(b"GET / HTTP/1.1\r\nhost: x\r\nx: " + b"a" * MAX_HEAD * 20)
        assert [answer.status for answer in await answers(connection)] == [status]
