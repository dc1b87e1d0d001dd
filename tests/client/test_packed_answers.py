"""Answers that come packed: as the client asked for it, in other ways, and small ones that unpack to large ones."""

from __future__ import annotations

import gzip
from typing import Any

import httpx
import pytest

from grapevine import client as api
from tests.client.conftest import MakeCaller, ScriptedServer, problem, reply

pytestmark = pytest.mark.anyio

TWICE = {"Content-Encoding": "gzip, gzip"}
ONCE = {"Content-Encoding": "gzip"}
EVENTS = {"Content-Type": "text/event-stream"}
GAP = b'id: 1\nevent: gap\ndata: {"since":null,"at":"2026-11-30T12:00:00.000Z","reason":"too-old","detail":"x"}\n\n'


def series(client: Any) -> Any:
    return client.stats.series("visits")


def rows(client: Any) -> Any:
    return client.export("visits")


def live(client: Any) -> Any:
    return client.live()


async def test_what_was_packed_as_asked_is_read(make_caller: MakeCaller, scripted: ScriptedServer) -> None:
    caller = make_caller(scripted.url)
    scripted.will(
        reply(gzip.compress(b"[]"), headers=ONCE),
        reply(gzip.compress(b'{"a":1}\n' * 50_000), headers=ONCE),
        reply(gzip.compress(GAP), headers=EVENTS | ONCE),
    )
    assert await caller(series) == []
    assert await caller(rows) == [{"a": 1}] * 50_000
    assert [event.id for event in await caller.first(live, 1)] == ["1"]
    assert b"Accept-Encoding: gzip\r\n" in scripted.requests[0]


async def test_what_was_packed_in_another_way_is_not_unpacked(
    make_caller: MakeCaller, scripted: ScriptedServer
) -> None:
    body = gzip.compress(gzip.compress(b"[]"))
    for do, kind in ((series, {}), (rows, {}), (live, EVENTS)):
        caller = make_caller(scripted.url)
        scripted.will(reply(body, headers=kind | TWICE))
        with pytest.raises(api.UnexpectedAnswer, match="it is packed as 'gzip, gzip', although only gzip was asked"):
            await caller.first(do, 1) if do is live else await caller(do)
        assert (caller.pauses, scripted.left) == ([], 0), do


async def test_a_refusal_that_cannot_be_unpacked_is_a_refusal(
    make_caller: MakeCaller, scripted: ScriptedServer
) -> None:
    caller = make_caller(scripted.url)
    scripted.will(problem("503 x", "busy", {"Content-Encoding": "br"}), reply(b"[]"))
    assert await caller(series) == []
    assert caller.pauses == [0.25]
    scripted.will(problem("404 x", "unknown-visit", {"Content-Encoding": "br"}))
    with pytest.raises(api.UnexpectedAnswer, match="it is packed as 'br'") as caught:
        await caller(series)
    assert caught.value.status == 404


async def test_a_small_answer_does_not_become_a_large_one(
    make_caller: MakeCaller, scripted: ScriptedServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grapevine.client.exchange.MOST_BODY", 1 << 20)
    scripted.will(reply(gzip.compress(bytes(2 << 20)), headers=ONCE))
    with pytest.raises(api.UnexpectedAnswer, match="has more than 1 MiB; none of this API has"):
        await make_caller(scripted.url)(series)


async def test_what_unpacks_to_nothing_takes_time_all_the_same(
    make_caller: MakeCaller, scripted: ScriptedServer
) -> None:
    """By a clock that goes on whenever it is looked at."""
    times = iter(range(0, 1_000_000, 10))
    caller = make_caller(scripted.url, clock=lambda: float(next(times)))
    scripted.will(reply(gzip.compress(b"[]") + b"x" * 4_000_000, headers=ONCE))
    with pytest.raises(api.TimedOut, match="did not answer GET /v1/stats/series within"):
        await caller(series)


async def test_a_transport_without_a_network(make_caller: MakeCaller) -> None:
    def answer(_: httpx.Request) -> httpx.Response:
        return httpx.Response(200, content=gzip.compress(b"[]"), headers=ONCE)

    assert await make_caller("https://grapevine.test", transport=httpx.MockTransport(answer))(series) == []
