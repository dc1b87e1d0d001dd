"""Faults on the way: what is tried again, what never, and what is said at the end."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable
from typing import Any

import httpx
import pytest
import trustme

from grapevine import __version__
from grapevine import client as api
from grapevine.client import Retries
from tests.client.conftest import MakeCaller, ScriptedServer, problem, reply
from tests.support.in_process_server import PLAIN
from tests.support.talks import serving

pytestmark = pytest.mark.anyio

EMPTY = reply(b"{}")
LIST = reply(b"[]")
HALF = reply(b'[{"at": "2026', length=400)
GONE = reply(b"", "204 No Content")
BUSY = problem("503 Service Unavailable", "busy", {"Retry-After": "3"})


def series(client: Any) -> Any:
    return client.stats.series("visits")


def erase(client: Any) -> Any:
    return client.visits.erase("03Gl69Cu6Or")


def create(client: Any) -> Any:
    return client.conversions.create("order", visit="03Gl69Cu6Or")


def retry_delivery(client: Any) -> Any:
    return client.webhooks.retry("wh_1", "msg_1")


def rows(client: Any) -> Any:
    return client.export("visits")


AGAIN: list[tuple[str, Callable[[Any], Any], list[Any], list[float]]] = [
    ("the connection is closed without an answer", series, [b"", LIST], [0.25]),
    ("the answer is cut off in its middle", series, [HALF, HALF, LIST], [0.25, 0.5]),
    ("the answer is no HTTP", series, [b"SSH-2.0-x\r\n\r\n", LIST], [0.25]),
    ("a proxy finds no server", series, [reply(b"<html>", "502 Bad Gateway"), LIST], [0.25]),
    ("the server is busy", series, [BUSY, LIST], [3.25]),
    ("there were too many calls", series, [problem("429 x", "rate-limited", {"Retry-After": "7"}), LIST], [7.25]),
    ("a date says when", series, [problem("503 x", "busy", {
        "Date": "Mon, 30 Nov 2026 10:00:00 GMT", "Retry-After": "Mon, 30 Nov 2026 10:00:20 GMT"}), LIST], [20.25]),
    ("a change with a nonce is repeated", create, [b"", HALF, EMPTY], [0.25, 0.5]),
    ("a change without one, when it surely did nothing", retry_delivery, [BUSY, EMPTY], [3.25]),
    ("a deletion whose answer was lost has happened", erase, [b"", problem("404 x", "unknown-visit")], [0.25]),
    ("a stream that has not begun", rows, [b"", BUSY, reply(b'{"a":1}\n')], [0.25, 3.5]),
]  # fmt: skip


async def test_what_may_succeed_is_tried_again(make_caller: MakeCaller, scripted: ScriptedServer) -> None:
    for case, do, answers, pauses in AGAIN:
        caller = make_caller(scripted.url)
        scripted.will(*answers)
        await caller(do)
        assert (caller.pauses, scripted.left) == (pauses, 0), case


ONCE: list[tuple[str, Callable[[Any], Any], bytes, type[Exception], str]] = [
    ("the key is wrong", series, problem("401 x", "unauthorized"), api.UnauthorizedError, "so. (401 unauth"),
    ("a change without a nonce may have happened", retry_delivery, b"", api.ConnectionFailed, "is not known"),
    ("the server asks for too long a wait", series, problem("429 x", "rate-limited", {"Retry-After": "31"}),
     api.RateLimitedError, "It is so."),
    ("an error of the server", series, problem("500 x", "server-error"), api.ServerFaultError, "500 server"),
    ("a code of a later version", series, problem("409 x", "odd"), api.ConflictError, "409 odd"),
    ("a deletion finds nothing", erase, problem("404 x", "unknown-visit"), api.UnknownVisitError, "404"),
    ("a page instead of JSON", series, reply(b"<html>Sign in to the Wi-Fi"), api.UnexpectedAnswer, "<html>Sign in"),
    ("a page says yes to a deletion", erase, reply(b"<html>Hello"), api.UnexpectedAnswer, "<html>Hello"),
    ("JSON of another shape", series, reply(b'[{"at": 3}]'), api.UnexpectedAnswer, "Expected `str`, got `int`"),
    ("bytes of nothing", series, reply(b"\xff\x00"), api.UnexpectedAnswer, "\\x00"),
    ("a refusal that is not Grapevine's", series, reply(b"<html>Teapot", "418 x"), api.UnexpectedAnswer, "418"),
    ("a redirect", series, reply(b"", "301 Moved", {"Location": "https://elsewhere.example/"}),
     api.UnexpectedAnswer, "elsewhere.example"),
    ("half a row at the end of a stream", rows, reply(b'{"a":1}\n{"a":'), api.ConnectionFailed, "ended before"),
    ("half a stream", rows, reply(b'{"a":1}\n', length=99), api.ConnectionFailed, "before the whole answer"),
    ("a stream of something else", rows, reply(b'{"a":1}\n[]\n'), api.UnexpectedAnswer, "Expected `object`"),
]  # fmt: skip


async def test_what_is_not_tried_again(make_caller: MakeCaller, scripted: ScriptedServer) -> None:
    for case, do, answer, kind, says in ONCE:
        caller = make_caller(scripted.url)
        scripted.will(answer)
        with pytest.raises(api.ClientError) as caught:
            await caller(do)
        assert type(caught.value) is kind, (case, caught.value)
        assert says in str(caught.value), case
        assert (caller.pauses, scripted.left) == ([], 0), case
        assert "a-key" not in str(caught.value), case


async def test_the_rows_before_half_a_stream_were_handed_out(make_caller: MakeCaller, scripted: ScriptedServer) -> None:
    scripted.will(reply(b'{"a":1}\n{"a":2}\n{"a"', length=99))
    got: list[Any] = []

    def read(client: api.Client) -> None:
        got.extend(row["a"] for row in client.export("visits"))

    async def read_async(client: api.AsyncClient) -> None:
        got.extend([row["a"] async for row in client.export("visits")])

    caller = make_caller(scripted.url)
    with pytest.raises(api.ConnectionFailed):
        await caller(read if isinstance(caller.client, api.Client) else read_async)
    # A list comprehension that fails hands out nothing; the loop above does.
    assert got == ([1, 2] if isinstance(caller.client, api.Client) else [])


async def test_attempts_end(make_caller: MakeCaller, scripted: ScriptedServer) -> None:
    caller = make_caller(scripted.url, retries=Retries(attempts=3))
    scripted.will(BUSY, BUSY, BUSY, LIST)
    with pytest.raises(api.UnavailableError) as caught:
        await caller(series)
    assert caught.value.retry_after == 3
    assert (caller.pauses, scripted.left) == ([3.25, 3.5], 1)


async def test_all_attempts_together_have_a_time(make_caller: MakeCaller, scripted: ScriptedServer) -> None:
    """By a clock that goes on with each pause: a third one would end too late."""
    pauses: list[float] = []
    caller = make_caller(scripted.url, retries=Retries(attempts=99), clock=lambda: sum(pauses))
    caller.pauses = pauses
    scripted.will(*[problem("503 x", "busy", {"Retry-After": "25"})] * 3, LIST)
    with pytest.raises(api.UnavailableError):
        await caller(series)
    assert (pauses, scripted.left) == ([25.25, 25.5], 1)


async def test_an_answer_that_trickles_is_given_up(make_caller: MakeCaller, scripted: ScriptedServer) -> None:
    """Each piece comes in time, all of them together do not."""
    times = iter(range(0, 1_000_000, 10))
    caller = make_caller(scripted.url, clock=lambda: float(next(times)))
    scripted.will(reply(b"[" + b" " * 4_000_000 + b"]"))
    with pytest.raises(api.TimedOut, match="did not answer GET /v1/stats/series within"):
        await caller(series)


async def test_a_server_that_is_silent(make_caller: MakeCaller, scripted: ScriptedServer) -> None:
    caller = make_caller(scripted.url, timeout=0.05)
    scripted.will(None, None, None, None)
    with pytest.raises(api.TimedOut, match=r"did not answer GET /v1/stats/series") as caught:
        await caller(series)
    assert not caught.value.is_unsent
    assert len(caller.pauses) == 3


async def test_nobody_listens(make_caller: MakeCaller) -> None:
    with socket.socket() as bound:  # bound and not listening: no other process gets the port
        bound.bind(("127.0.0.1", 0))
        caller = make_caller(f"http://127.0.0.1:{bound.getsockname()[1]}")
        with pytest.raises(api.ConnectionFailed, match="cannot be reached") as caught:
            await caller(retry_delivery)
        assert caught.value.is_unsent
        assert isinstance(caught.value.__cause__, httpx.ConnectError)
        assert len(caller.pauses) == 3, "the server surely did nothing"


async def test_requests_say_who_sends_them(make_caller: MakeCaller, scripted: ScriptedServer) -> None:
    scripted.will(EMPTY, b"", EMPTY)
    caller = make_caller(f"{scripted.url}/below/", site="S")
    await caller(create)
    await caller(create)
    head, _, body = scripted.requests[0].partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    assert lines[0] == "POST /below/v1/conversions?site=S HTTP/1.1"
    assert "Authorization: Bearer a-key" in lines
    assert any(line.startswith(f"User-Agent: grapevine-client/{__version__} (Python 3.") for line in lines)
    assert b'"nonce":"' in body
    assert scripted.requests[1] == scripted.requests[2] != scripted.requests[0], "a repeat is the same request"


async def test_a_certificate_is_checked(make_caller: MakeCaller) -> None:
    """Tried once: a certificate does not change in a second."""
    authority, inside = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(inside)
    script = ScriptedServer()
    trusting = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    authority.configure_trust(trusting)
    script.will(LIST)
    async with serving(script.serve, tls=inside) as port:
        url = f"https://localhost:{port}"
        assert await make_caller(url, tls=trusting)(series) == []
        caller = make_caller(url, tls=PLAIN)
        with pytest.raises(api.ConnectionFailed, match="has a certificate that is not trusted"):
            await caller(series)
        assert not caller.pauses
