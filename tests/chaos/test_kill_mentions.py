"""``kill -9`` while sources of webmentions and feeds are read: each becomes one mention with one event, none is lost.

Two kills in the usual run; 30 more are marked slow.
"""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress
from typing import Final
from urllib.parse import urlencode

import pytest

from tests.chaos.serve_with_clock import OffsetFile
from tests.support.raw_connection import ORIGIN, Cut, connected, request
from tests.support.server_process import PATIENCE_SECONDS, Installation, PostgresInstallation
from tests.support.source_server import SourceServer, serving_sources

pytestmark = pytest.mark.anyio

PAGE: Final = f"{ORIGIN}/bread"
_SENT: Final = 5
"""New webmentions before each kill; those of the round before are sent again: ten a minute are taken of a network."""
_MOST_ENTRIES: Final = 96
"""Entries of the feed at the end: fewer than are new mentions from one feed in 24 hours."""
_FEED_HOST: Final = "127.9.0.1"
_LATER_MS: Final = 180_000
"""Longer than a claim, and than the turn of a host."""
_LONGEST_DELAY_SECONDS: Final = 0.05


@pytest.mark.parametrize("kills", [2, pytest.param(30, marks=pytest.mark.slow)])
async def test_killed_while_it_reads_what_mentions_a_page(installation: Installation, kills: int) -> None:
    await _killed_again_and_again(installation, kills)


@pytest.mark.slow
async def test_killed_while_it_reads_on_postgres(postgres_installation: PostgresInstallation) -> None:
    await _killed_again_and_again(postgres_installation, 6)


async def _killed_again_and_again(installation: Installation, kills: int) -> None:
    hosts = [f"127.9.{kill + 1}.{number + 1}" for kill in range(kills) for number in range(_SENT)]
    installation.more_settings |= {
        "GRAPEVINE_MENTION_NETWORKS": "127.0.0.0/8",
        "GRAPEVINE_WEBHOOK_NETWORKS": "127.0.0.0/8",
    }
    assert installation.run("site", "set", installation.site, "webmention=on").status == 0
    new_entries = min(40, _MOST_ENTRIES // kills)
    offset, moments = OffsetFile(installation.logs / "offset"), random.Random(kills)  # noqa: S311
    command = ("-m", "tests.chaos.serve_reading_often", str(offset.path))
    accepted: set[str] = set()
    unsure: list[str] = []
    async with serving_sources(_FEED_HOST, *hosts) as sources:
        feed = sources.url("/feed", _FEED_HOST)
        for kill in range(kills):
            offset.set(kill * _LATER_MS)
            with installation.serving(command) as server:
                if not kill:
                    await _prepare(server.port, installation, feed, f"https://127.9.0.2:{sources.port}/")
                new = [sources.url("/post", host) for host in hosts[kill * _SENT :][:_SENT]]
                seen = _put_in_place(sources, kill, new_entries)
                sending = asyncio.create_task(_send(server.port, [*unsure, *new], accepted))
                async with asyncio.timeout(PATIENCE_SECONDS):
                    await seen.wait()
                await asyncio.sleep(moments.uniform(0, _LONGEST_DELAY_SECONDS))
                server.kill()
                await sending
                unsure = new
        offset.set((kills + 1) * _LATER_MS)
        with installation.serving(command) as server:
            await _send(server.port, unsure, accepted)
            assert accepted == {sources.url("/post", host) for host in hosts}
            async with asyncio.timeout(PATIENCE_SECONDS):
                while await installation.rows(_LEFT_TO_READ):  # noqa: ASYNC110
                    await asyncio.sleep(0.02)
            assert server.end().status == 0
    found = await installation.rows("SELECT source_url, kind FROM mentions")
    entries = {f"https://b.example/{kill}/{entry}" for kill in range(kills) for entry in range(new_entries)}
    wanted = [*((url, 1) for url in accepted), *((url, 2) for url in entries)]
    assert sorted(found) == sorted(wanted)
    assert await installation.rows("SELECT count(*) FROM deliveries") == [(len(wanted),)]
    checked = installation.run("doctor")
    assert checked.status == 0, checked


_LEFT_TO_READ: Final = (
    "SELECT 1 FROM webmentions WHERE checks = 0 "
    "UNION ALL SELECT 1 FROM feeds WHERE etag IS NULL OR etag <> (SELECT max(etag) FROM feeds) OR next_at < checked_at"
)


async def _prepare(port: int, installation: Installation, feed: str, hook: str) -> None:
    """Makes the page known, and names a feed and an endpoint where nobody answers."""
    key = {"authorization": f"Bearer {installation.key}", "content-type": "application/json"}
    async with connected(port) as connection:
        visit = {"site": installation.site, "url": PAGE, "nonce": "mentions-00000000", "channels": ["copy"]}
        assert (await connection.ask("POST", "/v1/visits", visit)).status == 200
        hooked = {"url": hook, "events": ["mention.created"]}
        assert (await connection.ask("POST", "/v1/webhooks", hooked, **key)).status == 201
        assert (await connection.ask("POST", "/v1/feeds", {"url": feed}, **key)).status == 201


def _put_in_place(sources: SourceServer, kill: int, new_entries: int) -> asyncio.Event:
    """Puts the post and the feed of a round in place. Returns what is set when either was asked for."""
    text = f"<title>Post</title><a href='{PAGE}'>x</a>".encode()
    items = "".join(
        f"<item><title>Entry</title><link>https://b.example/{each}/{entry}</link><description>{PAGE}</description></item>"
        for each in range(kill + 1)
        for entry in range(new_entries)
    )
    feed = f"<rss version='2.0'><channel><title>F</title>{items}</channel></rss>".encode()
    seen = asyncio.Event()

    def page(body: bytes, *headers: str) -> None:
        head = "\r\n".join(["HTTP/1.1 200 OK", f"content-length: {len(body)}", *headers])

        async def talk(writer: asyncio.StreamWriter) -> None:
            seen.set()
            writer.write(f"{head}\r\n\r\n".encode() + body)
            await writer.drain()

        sources.pages["/feed" if headers[0].endswith("rss+xml") else "/post"] = talk

    page(text, "content-type: text/html")
    page(feed, "content-type: application/rss+xml", f'etag: "{kill:03}"')
    return seen


async def _send(port: int, urls: list[str], accepted: set[str]) -> None:
    """Sends a webmention of each address until the server is gone."""
    with suppress(Cut):
        async with connected(port) as connection:
            for url in urls:
                body = urlencode({"source": url, "target": PAGE}).encode()
                form = {"content-type": "application/x-www-form-urlencoded", "content-length": str(len(body))}
                await connection.send(request("POST", "/webmention", headers=form) + body)
                answer = await connection.answer()
                assert answer.status == 202, answer
                accepted.add(url)
