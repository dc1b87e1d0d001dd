"""Live streams whose clients read slowly: what ends a stream also ends what it still had to catch up with."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import aclosing
from typing import Any

import pytest

from grapevine.live.channel import Channel, LivePage
from grapevine.live.pieces import Reader
from grapevine.live.position import read_position
from tests.support.in_process_server import Server
from tests.support.live_stream import PATIENCE_SECONDS, following
from tests.web.api.test_read_api import with_key

pytestmark = [pytest.mark.anyio, pytest.mark.parametrize("server", ["socket"], indirect=True)]


async def revoke_key(server: Server) -> None:
    await server.store.api_keys.revoke_key("id-reader", server.clock.now)
    await server.state.live._check_keys()  # noqa: SLF001  # every two seconds


async def delete_site(server: Server) -> None:
    readers = [*server.state.live._channels[1].readers]  # noqa: SLF001
    await server.store.site_deletion.begin(1, server.clock.now)
    server.clock.now += 2_000  # sites are read again when a second has passed
    async with asyncio.timeout(PATIENCE_SECONDS):
        while not all(reader.has_ended for reader in readers):  # noqa: ASYNC110  # the product has no event for it
            await asyncio.sleep(0.01)


async def stop(server: Server) -> None:
    server.state.live.close()


@pytest.mark.parametrize("when", ["between two pages", "while a page is read"])
@pytest.mark.parametrize(
    ("end", "reasons"),
    [(revoke_key, {b"key-revoked"}), (delete_site, {b"site-deleted", b"key-revoked"}), (stop, {b"shutting-down"})],
)
async def test_a_stream_that_catches_up_sends_nothing_more_once_it_is_ended(
    server: Server,
    monkeypatch: pytest.MonkeyPatch,
    end: Callable[[Server], Awaitable[None]],
    reasons: set[bytes],
    when: str,
) -> None:
    """The generator of the stream is read by hand: a client that takes nothing holds it in the same way."""
    monkeypatch.setattr("grapevine.live.channel._ROWS", 1)  # a visit a page
    client, live = await with_key(server, "reader"), server.state.live
    async with following(client.http) as stream:
        await stream.named("start")
        before = read_position(stream.last_id)
        for _ in range(3):
            await server.visit()
        await stream.some(3)
    key, site = await server.store.api_keys.key_by_id("id-reader"), server.state.sites.known(server.site)
    assert key is not None
    assert site is not None
    async with asyncio.timeout(PATIENCE_SECONDS):
        while live.streams:  # noqa: ASYNC110  # the product has no event for it
            await asyncio.sleep(0.01)
    live.enter(key, site)
    async with aclosing(live.stream(site, key, None, before)) as pieces:
        retry, start, page = [await anext(pieces) for _ in range(3)]
        assert (retry[:6], b'"resumed":true' in start, page.count(b"event: visit")) == (b"retry:", True, 1)
        if when == "between two pages":
            await end(server)
        else:
            read = Channel._page  # noqa: SLF001

            async def ended_meanwhile(channel: Channel, *given: Any) -> LivePage:
                found = await read(channel, *given)
                await end(server)
                return found

            monkeypatch.setattr(Channel, "_page", ended_meanwhile)
        (last,) = [piece async for piece in pieces]
    live.leave(key, site)
    assert last.startswith(b"event: end\n")
    assert any(b'"reason":"%b"' % reason in last for reason in reasons)


async def test_a_stream_that_begins_after_the_others_of_a_deleted_site_were_ended_ends_too(server: Server) -> None:
    client, live = await with_key(server, "reader"), server.state.live
    async with following(client.http) as stream:
        await stream.named("start")
        channel, deaf = live._channels[1], Reader("id-deaf", None)  # noqa: SLF001
        channel.readers.add(deaf)  # keeps the channel
        site = server.state.sites.known(server.site)
        key = await server.store.api_keys.key_by_id("id-reader")
        assert site is not None
        assert key is not None
        await delete_site(server)
        async with aclosing(live.stream(site, key, None, None)) as pieces:
            await anext(pieces)
            await anext(pieces)
            async with asyncio.timeout(PATIENCE_SECONDS):
                assert b'"reason":"site-deleted"' in await anext(pieces)
        channel.readers.discard(deaf)
