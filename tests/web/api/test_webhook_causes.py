"""A mention and a silence on their whole way: from what causes them to a verified delivery, once each."""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator

import pytest

from grapevine.analytics.silence_watch import SilenceWatch
from grapevine.background.leases import Leases
from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.domain.enums import SOURCES
from grapevine.domain.events import VisitEvent
from grapevine.domain.periods import rfc3339
from grapevine.domain.urls import Page, page_id
from tests.support.in_process_server import BOTH_BACKENDS, NOON, ORIGIN, Server, serving
from tests.support.source_server import serving_sources
from tests.support.webhook_receiver import Receiver, receiving
from tests.web.api.test_read_api import KeyClient, with_key
from tests.web.api.test_webhook_events import DEADLINE, add, came, stored

pytestmark = pytest.mark.anyio

HERE = ("127.0.0.0/8",)


@pytest.fixture
async def server(database: str) -> AsyncIterator[Server]:
    """A server that may send to this machine, and read from it."""
    settings = Settings(
        database=database, secret_keys=(b"k" * 32,), rate_limit=0, webhook_networks=HERE, mention_networks=HERE
    )
    async with serving(settings) as server:
        await server.add_site("site-a", ORIGIN, webmention="on")
        yield server
        await server.hang_up()


@pytest.fixture
async def receiver() -> AsyncIterator[Receiver]:
    async with receiving() as receiver:
        yield receiver


@pytest.fixture
async def owner(server: Server) -> KeyClient:
    return await with_key(server, "owner", scope="admin")


@BOTH_BACKENDS
async def test_a_mention_is_told_once_from_the_page_elsewhere_to_the_endpoint(
    server: Server, owner: KeyClient, receiver: Receiver
) -> None:
    secret = (await add(owner, receiver.url, "mention.created"))["secret"]
    target = f"{ORIGIN}/deep/page"
    await server.visit()
    async with serving_sources() as sources:
        sources.page("/post", f"<title>On bread</title><p class=p-author>Ann</p><a href='{target}'>x</a>")
        mention = {"source": sources.url("/post"), "target": target}
        began = rfc3339(server.clock.now)
        for number in range(2):  # the second one finds nothing new
            assert (await server.browser(f"192.0.2.{number + 7}").post("/webmention", data=mention)).status_code == 202
            async with asyncio.timeout(DEADLINE):
                while sum(server.state.webmention_reader.results.values()) <= number:
                    server.state.webmention_reader.notify()
                    await asyncio.sleep(0.01)
            server.clock.now += ids.DAY_MS
    (event,) = await came(receiver, secret, 1)
    assert event == {
        "type": "mention.created",
        "timestamp": began,
        "data": {
            "site": "site-a", "page": target, "kind": "webmention", "source": mention["source"], "title": "On bread",
            "author": "Ann", "published_at": None, "at": began,
        },
    }  # fmt: skip
    assert len(await stored(server)) == 1


@BOTH_BACKENDS
async def test_a_silence_is_told_once_to_the_endpoint(server: Server, owner: KeyClient, receiver: Receiver) -> None:
    secret = (await add(owner, receiver.url, "site.silent"))["secret"]
    state, began = server.state, server.clock.now
    page = Page(page_id(1, f"{ORIGIN}/deep/page"), f"{ORIGIN}/deep/page", is_home=False)
    await state.writer.recorder.record([
        VisitEvent(
            site_id=1, nonce=f"nonce{number:011}", day=ids.day_at(at), at=at, page=page,
            title="Bread", source=SOURCES["search"], device=1, app=None, visitor=number, visitor_before=-number,
            token=None, reason=None, own=False,
        )
        for number, at in enumerate(range(began - 8 * ids.DAY_MS, began, 20 * 60_000))
    ])  # fmt: skip
    watches = [
        SilenceWatch(
            server.store, state.sites, server.clock, Leases(server.store.leases, server.clock, name),
            secrets.token_bytes, state.sender.notify,
        )
        for name in ("one", "other")
    ]  # fmt: skip
    server.clock.now += 7 * ids.HOUR_MS
    assert [await watch.look() for watch in watches] == [1, 0]
    (event,) = await came(receiver, secret, 1)
    now, data = rfc3339(server.clock.now), event["data"]
    assert event == {"type": "site.silent", "timestamp": now, "data": data}
    assert 17 <= data.pop("expected") <= 21
    assert 72 <= data.pop("visits_a_day") <= 80
    assert data == {"site": "site-a", "since": rfc3339(NOON + ids.HOUR_MS), "hours": 6, "at": now}
    assert len(await stored(server)) == 1
