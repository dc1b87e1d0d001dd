"""Ten thousand random bodies for each call: each is taken or refused with a reason, none brings the server down."""

from __future__ import annotations

import json
import random
from collections.abc import AsyncIterator, Iterator, Sequence
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

import pytest

from tests.support.raw_connection import connected
from tests.support.raw_connection import request as on_the_wire
from tests.web.conftest import BOTH_WAYS, CHROME, ORIGIN, Server

pytestmark = [pytest.mark.anyio, BOTH_WAYS]

BODIES: Final = 10_000
BODIES_WHERE_DEAR: Final = 2_000
"""For PostgreSQL: most of them end before the store."""
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


async def over_a_socket(url: str, path: str, bodies: Sequence[Sent]) -> AsyncIterator[int]:
    """The statuses, of some requests in a row on one connection."""
    async with connected(urlsplit(url).port or 0) as connection:
        for start in range(0, len(bodies), IN_A_ROW):
            row = bodies[start : start + IN_A_ROW]
            headers = [{"origin": sent.origin, "content-length": str(len(sent.body))} for sent in row]
            requests = [
                on_the_wire("POST", path, None, each) + sent.body for each, sent in zip(headers, row, strict=True)
            ]
            await connection.send(b"".join(requests))
            for _ in row:
                yield (await connection.answer()).status


async def through_asgi(app: Any, path: str, bodies: Sequence[Sent]) -> AsyncIterator[int]:
    """The statuses, as the application itself gives them."""
    for sent in bodies:
        headers = {"origin": sent.origin, "user-agent": CHROME, "content-length": str(len(sent.body))}
        scope = {
            "type": "http", "method": "POST", "path": path, "raw_path": path.encode(), "query_string": b"",
            "http_version": "1.1", "asgi": {"version": "3.0"}, "scheme": "http", "client": ("192.0.2.1", 50_000),
            "server": ("grapevine.example", 80), "root_path": "",
            "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
        }  # fmt: skip
        said: list[Any] = []

        async def receive(body: bytes = sent.body) -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: Any, said: list[Any] = said) -> None:
            said.append(message)

        await app(scope, receive, send)
        yield said[0]["status"]


@pytest.mark.parametrize("call", ["visits", "views", "shares"])
async def test_ten_thousand_random_bodies_yield_no_5xx(server: Server, call: str) -> None:
    bodies = drawn(random.Random(f"fuzz {call}"), await server.visit())  # noqa: S311
    sent = [next(bodies) for _ in range(BODIES_WHERE_DEAR if server.store.shared else BODIES)]
    path = f"/v1/{call}"
    answers = over_a_socket(server.url, path, sent) if server.url else through_asgi(server.app, path, sent)
    statuses = [status async for status in answers]
    assert len(statuses) == len(sent)
    assert [(body, status) for (body, _), status in zip(sent, statuses, strict=True) if status >= 500] == []
    assert {200, 400, 403, 404, 422} <= set(statuses)
