"""The live feed: of the real server, and of one whose streams break."""

from __future__ import annotations

import re
from typing import Any

import pytest

from grapevine import client as api
from grapevine.sites.api_keys import hash_secret
from grapevine.store.rows import KeyRow
from tests.client.conftest import MakeCaller, ScriptedServer, problem, reply
from tests.support.in_process_server import NOON, Server

pytestmark = pytest.mark.anyio


def gap(number: int) -> bytes:
    data = '{"since":null,"at":"2026-11-30T12:00:00.000Z","reason":"too-old","detail":"It is so."}'
    return f"id: {number}\nevent: gap\ndata: {data}\n\n".encode()


def stream(*pieces: bytes, length: int | None = None) -> bytes:
    return reply(b"".join(pieces), headers={"Content-Type": "text/event-stream"}, length=length)


def live(client: Any) -> Any:
    return client.live(["share", "return"])


def numbers(found: list[Any]) -> list[str]:
    return [event.id for event in found]


async def test_a_stream_that_breaks_goes_on_behind_its_last_event(
    make_caller: MakeCaller, scripted: ScriptedServer
) -> None:
    scripted.will(
        stream(b"retry: 2000\n\n", gap(1), gap(2), b"id: 3\ndata: half", length=9_999),
        b"",
        problem("429 x", "rate-limited", {"Retry-After": "5"}),
        stream(gap(3), b"id: 4\n\n"),
        stream(b"event: end\ndata: {}\n\n"),
        stream(b"id: 5\nevent: of a later version\ndata: ?\n\n", gap(6), gap(7)),
    )
    caller = make_caller(scripted.url)
    assert numbers(await caller.first(live, 4)) == ["1", "2", "3", "6"]
    asked = [re.search(rb"Last-Event-ID: (\d+)", each) for each in scripted.requests]
    assert [found and int(found[1]) for found in asked] == [None, 2, 2, 2, 4, 4]
    assert b"GET /v1/live?kinds=share%2Creturn HTTP/1.1" in scripted.requests[0]
    # After a break as the server said, with its own bounds; after a refusal as it said.
    assert caller.pauses == [2.0, 0.25, 5.5, 3.0, 3.0]


async def test_a_program_that_starts_again_goes_on_where_it_was(
    make_caller: MakeCaller, scripted: ScriptedServer
) -> None:
    scripted.will(stream(gap(8)))
    assert numbers(await make_caller(scripted.url).first(lambda client: client.live(after="7"), 1)) == ["8"]
    assert b"Last-Event-ID: 7\r\n" in scripted.requests[0]


@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (problem("401 x", "unauthorized"), api.UnauthorizedError, "401 unauthorized"),
        (reply(b"<html>"), api.UnexpectedAnswer, "it is no text/event-stream"),
        (stream(b"event: gap\ndata: {}\n\n"), api.UnexpectedAnswer, "missing required field"),
    ],
)
async def test_what_ends_a_feed(
    make_caller: MakeCaller, scripted: ScriptedServer, answer: bytes, kind: type[Exception], says: str
) -> None:
    scripted.will(answer)
    caller = make_caller(scripted.url)
    with pytest.raises(kind, match=says):
        await caller.first(live, 1)
    assert not caller.pauses


async def test_a_feed_that_is_silent_for_five_minutes_is_given_up(
    make_caller: MakeCaller, scripted: ScriptedServer
) -> None:
    """By a clock that goes on with each pause, of a minute each."""
    pauses: list[float] = []
    caller = make_caller(scripted.url, clock=lambda: sum(pauses))
    caller.pauses = pauses
    scripted.will(*[stream(b"retry: 60000\n\n")] * 7)
    with pytest.raises(api.ConnectionFailed, match="GET /v1/live ends again and again"):
        await caller.first(live, 1)
    assert (len(pauses), scripted.left) == (6, 0)


@pytest.mark.parametrize("server", ["socket"], indirect=True)
async def test_the_feed_of_the_real_server(server: Server, make_caller: MakeCaller) -> None:
    key = KeyRow(key_id="reader", site_id=1, name="reader", scope="read", created_at=NOON, revoked_at=None)
    await server.store.api_keys.add_key(key, hash_secret("secret"))
    assert server.url is not None
    caller = make_caller(server.url, "secret")
    (start,) = await caller.first(lambda client: client.live(), 1)
    assert (start.kind, start.data.site, start.data.resumed) == ("start", "site-a", False)
    first = await server.visit()
    friend = await server.visit(server.browser("192.0.2.2"), token=first["tokens"]["copy"])
    found = await caller.first(lambda client: client.live(["visit", "return"], after=start.id), 3)
    assert [event.kind for event in found] == ["start", "visit", "return"]
    assert found[0].data.resumed
    assert (found[1].data.visit, found[2].data.visit) == (first["visit"], friend["visit"])
    assert found[2].data.via.token == first["tokens"]["copy"]
