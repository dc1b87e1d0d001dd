"""``GET /v1/live`` over a socket, on both databases."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack

import pytest

from grapevine.domain import ids
from grapevine.live import limits
from grapevine.live.position import HEADER, Position, read_position
from tests.support.in_process_server import BOTH_BACKENDS, ORIGIN, Server
from tests.support.live_stream import PATIENCE_SECONDS, following
from tests.support.user_agents import CHROME
from tests.web.api.test_conversions import reach
from tests.web.api.test_read_api import refused, with_key

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("server", ["socket"], indirect=True)]


async def all_closed(server: Server) -> None:
    """Waits until the server has noticed that its clients left."""
    async with asyncio.timeout(PATIENCE_SECONDS):
        while server.state.live.streams:  # noqa: ASYNC110  # the product has no event for it
            await asyncio.sleep(0.01)


@BOTH_BACKENDS
async def test_what_is_stored_is_sent(server: Server) -> None:
    reader = await with_key(server, "reader")
    async with following(reader.http) as stream:
        assert stream.response.headers["content-type"] == "text/event-stream"
        assert stream.response.headers["cache-control"] == "no-store"
        start = await stream.named("start")
        assert (start["site"], start["resumed"], stream.retry) == (server.site, False, limits.RETRY_MS)
        first = await server.visit()
        visit = await stream.named("visit")
        assert visit["visit"] == visit["root"] == first["visit"]
        assert (visit["url"], visit["depth"], visit["via"], visit["parent"]) == (f"{ORIGIN}/deep/page", 0, None, None)
        token = first["tokens"]["whatsapp"]
        second = await server.visit(server.browser("192.0.2.9"), token=token)
        returned = await stream.named("return")
        assert (returned["visit"], returned["parent"], returned["depth"]) == (second["visit"], first["visit"], 1)
        assert returned["via"] == {"token": token, "visit": first["visit"], "channel": "whatsapp", "n": 0}
        share = await stream.named("share")
        assert (share["token"], share["reported"], share["proven"]) == (token, False, True)
        await server.share(first["tokens"]["copy"])
        share = await stream.named("share")
        assert (share["channel"], share["reported"], share["proven"]) == ("copy", True, False)
        await reach(server, second["session"], value="49.00", currency="EUR", id="A-1")
        reached = await stream.named("conversion")
        assert (reached["value"], reached["currency"], reached["id"], reached["by"]) == ("49.00", "EUR", "A-1", "page")
        assert (reached["visit"], reached["channel"], reached["depth"]) == (second["visit"], "whatsapp", 1)


@BOTH_BACKENDS
async def test_a_reader_that_comes_back_is_given_what_it_missed_and_nothing_twice(server: Server) -> None:
    reader = await with_key(server, "reader")
    async with following(reader.http) as stream:
        await stream.named("start")
        before = stream.last_id
        visits = [(await server.visit())["visit"] for _ in range(3)]
        seen = await stream.some(3)
        assert [event.data["visit"] for event in seen] == visits
    visits += [(await server.visit())["visit"] for _ in range(2)]
    for last, known in [(before, 0), (seen[0].id, 1), (seen[2].id, 3)]:
        missed = visits[known:]
        async with following(reader.http, last) as again:
            assert (await again.named("start"))["resumed"]
            assert [event.data["visit"] for event in await again.some(len(missed))] == missed
            visits.append((await server.visit())["visit"])
            assert (await again.named("visit"))["visit"] == visits[-1]


async def test_the_events_of_one_commit_are_resumed_one_by_one(server: Server) -> None:
    """A share that is proven by its first return: both are stored at once, and each has a position of its own."""
    reader = await with_key(server, "reader")
    first = await server.visit()
    async with following(reader.http) as stream:
        await stream.named("start")
        await server.visit(server.browser("192.0.2.9"), token=first["tokens"]["copy"])
        together = await stream.some(2)
    assert [event.name for event in together] == ["return", "share"]
    async with following(reader.http, together[0].id) as stream:
        await stream.named("start")
        assert (await stream.named("share"))["token"] == first["tokens"]["copy"]
        await server.visit()
        await stream.named("visit")


async def test_what_is_too_old_is_a_gap(server: Server) -> None:
    reader = await with_key(server, "reader")
    async with following(reader.http) as stream:
        await stream.named("start")
        await server.visit()
        await stream.named("visit")
        old = stream.last_id
        server.clock.now += limits.WINDOW_MS + 1
        await server.visit()
        await stream.named("visit")
        async with following(reader.http, old) as late:
            assert not (await late.named("start"))["resumed"]
            gap = await late.named("gap")
            assert (gap["reason"], gap["since"][:10]) == ("too-old", "2026-11-05")
            last = await server.visit()
            assert (await late.named("visit"))["visit"] == last["visit"]
            recent = late.last_id
    server.clock.now += limits.WATCH_MS + 1  # nobody watches any more, so nothing is announced
    site = server.state.sites.known(server.site)
    assert site is not None
    await server.state.live.prepare(site)
    async with following(reader.http, recent) as late:
        assert not (await late.named("start"))["resumed"]
        await late.named("gap")


async def test_nothing_is_announced_while_nobody_watches(server: Server) -> None:
    await server.visit()
    assert await server.store.look("SELECT * FROM live_batches") == []
    reader = await with_key(server, "reader")
    async with following(reader.http) as stream:
        await stream.named("start")
        visit = await server.visit()
        assert (await stream.named("visit"))["visit"] == visit["visit"]
    ((events,),) = await server.store.look("SELECT events FROM live_batches")
    assert events == f"[[0,{ids.visit_number(visit['visit'])}]]"


@BOTH_BACKENDS
async def test_an_erased_visit_is_sent_to_nobody_who_comes_back(server: Server) -> None:
    reader = await with_key(server, "reader")
    async with following(reader.http) as stream:
        await stream.named("start")
        before = stream.last_id
    erased, kept = await server.visit(), await server.visit()
    await reach(server, erased["session"], id="A-1")
    await server.share(erased["tokens"]["copy"])
    answer = await server.http.post("/v1/forget", json={"site": server.site, "session": erased["session"]})
    assert answer.status_code == 200
    async with following(reader.http, before) as stream:
        await stream.named("start")
        assert (await stream.named("visit"))["visit"] == kept["visit"]
        last = await server.visit()
        assert (await stream.named("visit"))["visit"] == last["visit"]


async def test_a_reader_has_its_own_site_alone_and_the_kinds_that_it_asks_for(server: Server) -> None:
    await server.add_site("site-b", "https://b.example")
    reader, other = await with_key(server, "reader"), await with_key(server, "other", site_id=2)
    async with following(reader.http, kinds="return,share") as stream, following(other.http) as elsewhere:
        await stream.named("start")
        assert (await elsewhere.named("start"))["site"] == "site-b"
        first = await server.visit()
        await server.visit(server.browser("192.0.2.9"), token=first["tokens"]["copy"])
        assert [event.name for event in await stream.some(2)] == ["return", "share"]
        theirs = await server.visit(server.browser(Origin="https://b.example"), site="site-b", url="https://b.example/")
        assert (await elsewhere.named("visit"))["visit"] == theirs["visit"]


async def test_a_robot_that_looks_like_a_browser_is_not_sent(server: Server) -> None:
    reader = await with_key(server, "reader")
    async with following(reader.http) as stream:
        await stream.named("start")
        await server.visit(server.browser(user_agent=CHROME.replace("Chrome/", "HeadlessChrome/")))
        person = await server.visit()
        assert (await stream.named("visit"))["visit"] == person["visit"]


@pytest.mark.parametrize("revoke", ["key", "site"])
async def test_a_stream_ends_with_its_key_and_its_site(server: Server, revoke: str) -> None:
    reader = await with_key(server, "reader")
    async with following(reader.http) as stream:
        await stream.named("start")
        if revoke == "key":
            await server.store.api_keys.revoke_key("id-reader", server.clock.now)
        else:
            await server.store.site_deletion.begin(1, server.clock.now)
            server.clock.now += 2_000  # sites are read again when a second has passed
        end = await stream.named("end")
        assert end["reason"] in ("key-revoked", "site-deleted" if revoke == "site" else "")
        assert await stream.next() is None
    assert (await reader.get("/v1/live")).status_code == 401
    await all_closed(server)


async def test_the_streams_of_a_key_and_of_a_process_are_bounded(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grapevine.live.feed.MOST_PER_KEY", 2)
    monkeypatch.setattr("grapevine.live.feed.MOST_STREAMS", 3)
    reader, other, third = [await with_key(server, name) for name in ("reader", "other", "third")]
    async with AsyncExitStack() as stack:
        streams = [await stack.enter_async_context(following(each.http)) for each in (reader, reader, other)]
        for stream in streams:
            await stream.named("start")
        for client, status, code in [(reader, 429, "rate-limited"), (third, 503, "busy")]:
            answer = await client.get("/v1/live")
            assert (refused(answer)[:2], answer.headers["retry-after"]) == ((status, code), "5")
        head = await third.http.head("/v1/live")
        assert (head.status_code, "content-length" in head.headers) == (200, False)
    await all_closed(server)
    async with following(third.http) as stream:
        await stream.named("start")


@pytest.mark.parametrize(
    ("params", "headers", "wrong"),
    [
        ({"kinds": "visit,unfurl"}, {}, "kinds"), ({"kinds": ""}, {}, "kinds"), ({"from": "now"}, {}, "from"),
        ({}, {HEADER: "1"}, HEADER), ({}, {HEADER: "A" * 7_000}, HEADER), ({}, {HEADER: "é".encode("latin-1")}, HEADER),
        ({}, {HEADER: Position(at=-1, sent=0, ends=[]).text().decode()}, HEADER),
        ({}, {HEADER: Position(at=1, sent=0, ends=[(1, 1 << 63)]).text().decode()}, HEADER),
    ],
)  # fmt: skip
async def test_what_cannot_be_read_is_named(
    server: Server, params: dict[str, str], headers: dict[str, str], wrong: str
) -> None:
    reader = await with_key(server, "reader")
    answer = await reader.http.get("/v1/live", params=params, headers=headers)
    assert refused(answer) == (422, "invalid", [wrong])
    assert (await server.http.get("/v1/live")).status_code == 401


async def test_a_made_up_position_gives_what_is_kept_of_the_own_site_and_no_more(server: Server) -> None:
    reader = await with_key(server, "reader")
    async with following(reader.http) as stream:
        await stream.named("start")
        visit = await server.visit()
        await stream.named("visit")
        made_up = Position(at=server.clock.now + 10**9, sent=7, ends=[(1, -5), (2, 10**15)])
        async with following(reader.http, made_up.text().decode()) as other:
            await other.named("start")
            assert (await other.named("visit"))["visit"] == visit["visit"]


async def test_a_lone_reader_hears_a_heartbeat(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grapevine.live.channel.HEARTBEAT_SECONDS", 0)
    monkeypatch.setattr("grapevine.live.channel.POLL_SECONDS", 0.01)
    reader = await with_key(server, "reader")
    async with following(reader.http) as stream:
        await stream.named("start")
        server.clock.now += 1_000
        while read_position(stream.last_id).at < server.clock.now:
            await stream.line()
        assert stream.comments


async def test_a_reader_hears_a_heartbeat_while_only_other_events_happen(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grapevine.live.feed.HEARTBEAT_SECONDS", 0)
    reader = await with_key(server, "reader")
    async with following(reader.http, kinds="share") as stream:
        await stream.named("start")
        before = stream.last_id
        await server.visit()
        while stream.last_id == before:
            await stream.line()
        assert stream.comments
        first = await server.visit()
        await server.share(first["tokens"]["copy"])
        assert (await stream.named("share"))["token"] == first["tokens"]["copy"]


async def test_what_is_too_much_is_a_gap(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("grapevine.live.channel._ROWS", 1)
    reader = await with_key(server, "reader")
    async with following(reader.http) as stream:
        await stream.named("start")
        for _ in range(3):
            await server.visit()
        await stream.some(3)
        channel = server.state.live._channels[1]  # noqa: SLF001
        channel._ends = {}  # noqa: SLF001  # as if it had not come to read them
        server.clock.now += limits.LATE_MS + 1
        channel.wake()
        gap = await stream.named("gap")
        assert gap["reason"] == "too-much"
        last = await server.visit()
        assert (await stream.named("visit"))["visit"] == last["visit"]
