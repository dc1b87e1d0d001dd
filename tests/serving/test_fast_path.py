"""The fast path responds as ASGI does, to the byte, and declines what is not its own."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from typing import Any
from urllib.parse import urlsplit

import pytest

from grapevine.collect.schemas import MAX_BODY
from grapevine.serving.fast_path import cycles
from grapevine.web.public.collect import PATHS
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server
from tests.support.user_agents import CHROME
from tests.web.public.test_collect import BAD_BODIES

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("server", ["socket"], indirect=True)]

VISIT: dict[str, Any] = {"site": "site-a", "url": f"{ORIGIN}/x", "nonce": "n" * 16, "channels": ["copy"]}
REPEATED = ("X-Twice: 1", "X-Twice: 2")
"""Headers that change nothing, and with which the fast path declines a request."""


class Wire:
    """One connection, byte by byte."""

    def __init__(self, url: str | None) -> None:
        self.address = urlsplit(url or "").netloc.split(":")

    async def ask(self, *requests: bytes) -> bytes:
        """Sends requests on one connection in one write; returns the bytes of all responses."""
        reader, writer = await asyncio.open_connection(self.address[0], int(self.address[1]))
        writer.write(b"".join(requests))
        answer = b""
        while answer.count(b"HTTP/1.1 ") < len(requests) or not _whole(answer):
            answer += await asyncio.wait_for(reader.read(65_536), 20)
        writer.close()
        await writer.wait_closed()
        return answer


def _whole(answer: bytes) -> bool:
    head, _, body = answer.rpartition(b"HTTP/1.1 ")[2].partition(b"\r\n\r\n")
    lengths = [line.split(b":")[1] for line in head.split(b"\r\n") if line.lower().startswith(b"content-length")]
    return bool(lengths) and len(body) == int(lengths[0])


def request(call: str, body: bytes | dict[str, Any], *more: str, origin: str = ORIGIN) -> bytes:
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    lines = [f"POST /v1/{call} HTTP/1.1", "Host: x", f"User-Agent: {CHROME}", f"Origin: {origin}", *more]
    return "\r\n".join([*lines, f"Content-Length: {len(content)}", "", ""]).encode() + content


@pytest.fixture
def taken(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The cycles of the requests that took the fast path."""
    taken: list[str] = []
    for kind in (cycles.CollectCycle, cycles.RedirectCycle):
        monkeypatch.setattr(kind, "start", _watched(kind.start, kind.__name__, taken))
    return taken


def _watched(start: Callable[[Any], None], name: str, taken: list[str]) -> Callable[[Any], None]:
    def watched(cycle: Any) -> None:
        taken.append(name)
        start(cycle)

    return watched


async def test_every_call_returns_the_same_bytes_on_both_paths(server: Server, taken: list[str]) -> None:
    first = await server.visit(nonce="n" * 16, url=f"{ORIGIN}/x", channels=["copy"])
    session, token = first["session"], first["tokens"]["copy"]
    good: dict[str, dict[str, Any]] = {
        "visits": VISIT,
        "views": {"site": "site-a", "session": session, "url": f"{ORIGIN}/x", "nonce": "v" * 16},
        "shares": {"site": "site-a", "token": token, "url": f"{ORIGIN}/x"},
        "answers": {"site": "site-a", "session": session, "text": "a friend", "nonce": "n" * 16},
        "conversions": {"site": "site-a", "session": session, "goal": "order", "nonce": "n" * 16, "value": 5,
                        "currency": "EUR"},
    }  # fmt: skip
    assert {f"/v1/{call}" for call in good} == PATHS.keys()
    cases: list[tuple[str, bytes | dict[str, Any], tuple[str, ...]]] = [
        *((call, body, ()) for call, body in good.items()),
        *((call, b"{", ()) for call in good),
        *((call, b"[]", ()) for call in good),
        *((call, body | {"site": "nobody"}, ()) for call, body in good.items()),
        *((call, body, ("Sec-GPC: 1",)) for call, body in good.items()),
        *((call, body, ("DNT: 1",)) for call, body in good.items()),
        *((call, body, ("Content-Type: text/plain",)) for call, body in good.items()),
        *((call, body, ("Content-Type: image/png",)) for call, body in good.items()),
        *((call, body | {"session": "x", "token": "x"}, ()) for call, body in good.items()),
        *((call, body | {"session": token}, ()) for call, body in good.items()),
        ("visits", VISIT | {"token": token}, ()),
        ("visits", VISIT | {"url": "x", "nonce": "é"}, ()),
        ("answers", good["answers"] | {"text": ""}, ()),
        ("conversions", {name: value for name, value in good["conversions"].items() if name != "currency"}, ()),
        ("conversions", good["conversions"] | {"value": "NaN"}, ()),
        *(("visits", body if isinstance(body, bytes) else VISIT | body, ()) for _, body, *_ in BAD_BODIES),
    ]
    for call, fields in good.items():
        await server.post(call, **fields)
    taken.clear()
    wire = Wire(server.url)
    expected = 0
    for call, body, headers in cases:
        raw = [request(call, body, *headers, *more) for more in ((), REPEATED)]
        fast, usual = await wire.ask(raw[0]), await wire.ask(raw[1])
        assert fast == usual, (call, body, headers)
        expected += len(raw[0].partition(b"\r\n\r\n")[2]) <= MAX_BODY
        assert len(taken) == expected, (call, body, headers)
    assert expected >= 70


async def test_a_short_link_returns_the_same_bytes_on_both_paths(server: Server, taken: list[str]) -> None:
    token = (await server.visit(url=f"{ORIGIN}/x"))["tokens"]["copy"]
    wire = Wire(server.url)
    found = []
    for path in (f"/s/{token}", "/s/short", f"/s/{'z' * 23}"):
        for agent in (CHROME, "WhatsApp/2.23.20.0 A"):
            for more in ((), REPEATED, ()):
                lines = [f"GET {path} HTTP/1.1", "Host: x", f"User-Agent: {agent}", *more, "", ""]
                found.append((path, await wire.ask("\r\n".join(lines).encode())))
    for path in {path for path, _ in found}:
        assert len({answer for asked, answer in found if asked == path}) == 1, path
    assert "RedirectCycle" in taken


async def test_a_conversion_with_a_key_is_left_to_the_usual_way(server: Server, taken: list[str]) -> None:
    fields = {"site": "site-a", "session": "x", "goal": "order", "nonce": "n" * 16}
    answer = await Wire(server.url).ask(request("conversions", fields, "Authorization: Bearer nobody"))
    assert answer.startswith(b"HTTP/1.1 401 ")
    assert taken == []


async def test_a_foreign_origin_is_refused_alike(server: Server, taken: list[str]) -> None:
    wire = Wire(server.url)
    fast = await wire.ask(request("visits", VISIT, origin="null"))
    assert fast.startswith(b"HTTP/1.1 403 ")
    assert fast == await wire.ask(request("visits", VISIT, *REPEATED, origin="null"))
    assert taken == ["CollectCycle"]


@pytest.mark.parametrize(
    ("raw", "status"),
    [
        (request("visits", b"x" * 9000), b"413"),
        (request("visits", VISIT).replace(b"Content-Length", b"X-Length") + b"", b"400"),
        (b"OPTIONS /v1/visits HTTP/1.1\r\nHost: x\r\n\r\n", b"204"),
        (request("visits", VISIT).replace(b"/v1/visits", b"/v1/visits?x=1"), b"200"),
        (request("visits", VISIT, "Expect: 100-continue"), b"100"),
    ],
)
async def test_what_is_unusual_goes_through_asgi(server: Server, taken: list[str], raw: bytes, status: bytes) -> None:
    reader, writer = await asyncio.open_connection(*Wire(server.url).address)
    writer.write(raw)
    assert (await asyncio.wait_for(reader.readline(), 20)).split()[1] == status
    assert taken == []
    writer.close()
    await writer.wait_closed()


async def test_requests_in_a_row_are_answered_in_their_order(server: Server) -> None:
    visits: list[dict[str, Any]] = [VISIT | {"nonce": f"row{number:013}", "channels": []} for number in range(5)]
    answer = await Wire(server.url).ask(*(request("visits", visit) for visit in visits))
    order = [json.loads(part.partition(b"\r\n\r\n")[2])["visit"] for part in answer.split(b"HTTP/1.1 ")[1:]]
    alone = [(await server.visit(**visit))["visit"] for visit in visits]
    assert order == alone


async def test_a_body_may_come_in_pieces(server: Server, taken: list[str]) -> None:
    reader, writer = await asyncio.open_connection(*Wire(server.url).address)
    for byte in request("visits", VISIT):
        writer.write(bytes([byte]))
        await writer.drain()
    assert (await asyncio.wait_for(reader.readline(), 20)).split()[1] == b"200"
    assert taken == ["CollectCycle"]
    writer.close()
    await writer.wait_closed()


@BOTH_BACKENDS
async def test_a_caller_that_hangs_up_is_stored_all_the_same(server: Server) -> None:
    _, writer = await asyncio.open_connection(*Wire(server.url).address)
    writer.write(request("visits", VISIT | {"nonce": "gone" * 5}))
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    answer = await server.post("visits", nonce="gone" * 5, url=f"{ORIGIN}/x", channels=[])
    assert answer.status_code == 200
    assert await server.store.look("SELECT count(*) FROM visits") == [(1,)]
