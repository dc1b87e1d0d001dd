"""Random bodies for each call, a thousand or, among the slow tests, ten thousand: none brings the server down.

Each is taken or refused with a reason. All are sent twice, so that they take the fast path and the one through ASGI;
both return the same.
"""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.support.in_process_server import ORIGIN, Server
from tests.support.raw_connection import RawResponse, connected
from tests.support.raw_connection import request as on_the_wire

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("server", ["socket"], indirect=True)]

UNUSUAL: Final = b"X-Twice: 1\r\nX-Twice: 2\r\n"
"""Headers that change nothing, and with which the fast path hands a request on."""
IN_A_ROW: Final = 50
NONCE: Final = "n" * 16
NAMES: Final = ("site", "url", "nonce", "day", "referrer", "title", "token", "own", "channels", "session", "text")
ODD: Final[tuple[Any, ...]] = (
    "site-a", f"{ORIGIN}/x", NONCE, "copy", None, True, 0, -1, 1.5, 10**30, 1e308, "", "\0", "\ud800", "é" * 40, [], {},
    ["copy"], [None], {"a": 1}, "https://b.example", "2026-11-21", "x" * 3000,
)  # fmt: skip


class Sent(NamedTuple):
    """A body and the page's origin."""

    body: bytes
    origin: str


def drawn(draw: random.Random, answer: dict[str, Any]) -> Iterator[Sent]:
    """Bodies without end; a visit's ``answer`` lends them a session and a token that are good."""
    usual = {"site": "site-a", "url": f"{ORIGIN}/x", "nonce": NONCE}
    usual |= {"session": answer["session"], "token": answer["tokens"]["copy"]}
    odd = (*ODD, usual["session"], usual["token"])
    while True:
        kind = draw.random()
        if kind < 0.2:
            body = draw.randbytes(draw.randrange(60))
        else:
            fields: dict[str, Any] = dict(usual) if kind < 0.8 else {}
            for _ in range(draw.randrange(4)):
                fields[draw.choice(NAMES)] = draw.choice(odd)
            body = json.dumps(fields, ensure_ascii=draw.random() < 0.9).encode("utf-8", "surrogatepass")
            if kind > 0.9:
                cut = draw.randrange(len(body) + 1)
                body = body[:cut] + draw.randbytes(2) + body[cut:]
        yield Sent(body, draw.choice([ORIGIN] * 9 + ["null"]))


async def over_a_socket(url: str, path: str, bodies: Sequence[Sent], more: bytes = b"") -> AsyncIterator[RawResponse]:
    """What comes back for some requests in a row on one connection, each with ``more`` header lines."""
    async with connected(urlsplit(url).port or 0) as connection:
        for start in range(0, len(bodies), IN_A_ROW):
            row = bodies[start : start + IN_A_ROW]
            requests = []
            for sent in row:
                headers = {"origin": sent.origin, "content-length": str(len(sent.body))}
                first, end, rest = on_the_wire("POST", path, None, headers).partition(b"\r\n")
                requests.append(first + end + more + rest + sent.body)
            await connection.send(b"".join(requests))
            for _ in row:
                yield await connection.answer()


@pytest.mark.parametrize("call", ["visits", "views", "shares"])
@pytest.mark.parametrize("count", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
async def test_random_bodies_yield_no_5xx(server: Server, call: str, count: int) -> None:
    assert server.url
    bodies = drawn(random.Random(f"fuzz {call}"), await server.visit())  # noqa: S311
    sent = [next(bodies) for _ in range(count)]
    fast, usual = [
        [answer async for answer in over_a_socket(server.url, f"/v1/{call}", sent, more)] for more in (b"", UNUSUAL)
    ]
    assert len(fast) == len(usual) == len(sent)
    assert [(body, one.status) for (body, _), one in zip(sent, fast, strict=True) if one.status >= 500] == []
    assert {200, 400, 403, 404, 422} <= {one.status for one in fast}
    pairs = zip(sent, fast, usual, strict=True)
    assert [found for found in pairs if (found[1].status, found[1].body) != (found[2].status, found[2].body)] == []
