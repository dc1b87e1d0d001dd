"""The events of the demo's tour as the store has them: only what came since it began, in order, with what it was."""

from __future__ import annotations

import httpx
import pytest

from grapevine.demo.tour import Refused, Shared, Visited
from grapevine.demo.tour_events import TourEvents
from tests.support.in_process_server import ORIGIN, Server

pytestmark = pytest.mark.anyio

HEADLESS = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/141.0.0.0 Safari/537.36"
ROBOT = "Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)"


async def begun(server: Server) -> TourEvents:
    """The events from now on; one visit and one robot came before."""
    before = await server.visit(server.browser("192.0.2.9"))
    await server.post("visits", server.browser("192.0.2.9", ROBOT))
    await server.share(before["tokens"]["copy"])
    server.clock.now += 1_000
    events = TourEvents(server.store, 1, server.clock.now)
    assert await events.new() == []
    return events


async def visit(server: Server, address: str, **fields: str | bool) -> tuple[str, str, httpx.AsyncClient]:
    """A visit a second later: its id, its token for copying, its browser."""
    server.clock.now += 1_000
    client = server.browser(address)
    answer = await server.visit(client, **fields)
    return answer["visit"], answer["tokens"]["copy"], client


async def test_a_chain_with_all_that_happens_on_the_way(server: Server) -> None:
    events = await begun(server)
    root, token, first = await visit(server, "192.0.2.1", url=f"{ORIGIN}/story")
    server.clock.now += 1_000
    await server.share(token, first, url=f"{ORIGIN}/other")
    friend, passed_on, _ = await visit(server, "192.0.2.2", url=f"{ORIGIN}/other", token=token)
    third, _, _ = await visit(server, "192.0.2.3", url=f"{ORIGIN}/other", token=passed_on)
    assert await events.new() == [
        Visited(root, root, "/story", 0, None, "direct-deep"),
        Shared("/other", 0, "copy"),
        Visited(friend, root, "/other", 1, "copy", "share"),
        Visited(third, root, "/other", 2, "copy", "share"),
    ]
    assert await events.new() == []


async def test_visits_that_are_none_of_a_friend(server: Server) -> None:
    events = await begun(server)
    root, token, _ = await visit(server, "192.0.2.1")
    own, _, _ = await visit(server, "192.0.2.1", token=token, own=True)
    spoilt, _, _ = await visit(server, "192.0.2.2", token=f"{token[:-1]}{'a' if token[-1] != 'a' else 'b'}")
    server.clock.now += 1_000
    driven = await server.visit(server.browser("192.0.2.3", HEADLESS))
    await server.share(driven["tokens"]["copy"], server.browser("192.0.2.3", HEADLESS))
    found = await events.new()
    assert found == [
        Visited(root, root, "/deep/page", 0, None, "direct-deep"),
        Visited(own, root, "/deep/page", 0, "copy", "share", is_self=True),
        Visited(spoilt, spoilt, "/deep/page", 0, None, "direct-deep", spoilt=True),
        Visited(driven["visit"], driven["visit"], "/deep/page", 0, None, "direct-deep", verdict="driven"),
    ]


async def test_visits_of_a_past_that_is_filled_in_meanwhile_are_no_events(server: Server) -> None:
    events = await begun(server)
    start = server.clock.now
    for hours in (1, 30, 24 * 20):
        server.clock.now = start - hours * 3_600_000
        answer = await server.visit(server.browser(f"192.0.2.{hours % 200}"))
        await server.share(answer["tokens"]["copy"])
    server.clock.now = start + 1_000
    assert await events.new() == []


async def test_what_is_refused(server: Server) -> None:
    events = await begun(server)
    await server.post("visits", server.browser("192.0.2.4", ROBOT))
    await server.post("visits", server.browser("192.0.2.5", DNT="1"))
    await server.drops()
    found = await events.new()
    assert {event.reason for event in found if isinstance(event, Refused)} == {"robot", "opted-out"}
