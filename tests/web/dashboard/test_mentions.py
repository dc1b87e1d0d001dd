"""Mentions on their page and beside a cascade: foreign texts are text, what is gone says so, nothing has a way out."""

from __future__ import annotations

import re
import secrets

import msgspec
import pytest

from grapevine.analytics.models.mention_effect import DAYS
from grapevine.domain import ids
from grapevine.domain.urls import page_id
from grapevine.mentions.pages import KnownPage
from grapevine.mentions.recording import mention_event, message_ids
from grapevine.store.repositories.mentions import FEED, WEBMENTION, mention_row
from grapevine.store.rows import Counts
from tests.support.in_process_server import ORIGIN, Server
from tests.web.dashboard.dashboard_browser import chain_of_three, page, signed_in

pytestmark = pytest.mark.anyio

STORY = f"{ORIGIN}/story"
HOSTILE = "Bread <script>alert(1)</script>"


async def mention(server: Server, source: str, kind: int, title: str | None = None) -> None:
    site = server.state.sites.known("site-a")
    assert site is not None
    number = page_id(1, STORY)
    row = mention_row(1, number, kind, source, server.clock.now, title=title, author="Ann Baker")
    event = mention_event(site, KnownPage(number, STORY), row, row.at)
    assert await server.store.mentions.add(row, event, message_ids(secrets.token_bytes))


async def test_mentions_are_listed_on_their_page_and_beside_a_cascade(server: Server) -> None:
    chain = await chain_of_three(server)
    await mention(server, "https://blog.example/bread", WEBMENTION, HOSTILE)
    await mention(server, "https://news.example/no-title", FEED)
    client = await signed_in(server)
    listed = (await page(client, "/mentions")).tables["Mentions, newest first"]
    beside = (await page(client, f"/cascades/{chain['root']}")).tables["Mentions of this page, newest first"]
    assert listed[0] == ["Where", "Which page", "When", "Shares in the two days after"]
    assert beside[0] == ["Where", "When", "Shares in the two days after"]
    for rows in (listed, beside):
        said = sorted(row[0] for row in rows[1:])
        assert HOSTILE in said[0]
        assert said[0].endswith("blog.example ·Ann Baker· Webmention")
        assert said[1].endswith("Ann Baker· Feed")
        assert {row[-1] for row in rows[1:]} == {"–"}  # nothing can be said yet


async def test_a_list_without_mentions_has_a_way_out(server: Server) -> None:
    client = await signed_in(server)
    narrowed = await page(client, "/mentions?kind=feed&days=7")
    assert "Take the filter away , or look at the last 12 months" in narrowed.text
    assert "Take the filter away" not in (await page(client, "/mentions?days=365")).text


async def test_what_followed_a_mention_is_said_with_numbers(server: Server) -> None:
    await chain_of_three(server)
    server.clock.now += DAYS * ids.DAY_MS
    today = ids.day_at(server.clock.now)
    await mention(server, "https://blog.example/bread", WEBMENTION, HOSTILE)
    days = [(day, 40 if day in (today + 1, today + 2) else 8 + day % 3) for day in range(today - DAYS, today + 4)]
    counted = [(1, day, page_id(1, STORY), 0, *msgspec.structs.astuple(Counts(shares=shares))) for day, shares in days]
    async with server.store.feeds._transaction() as change:  # noqa: SLF001
        await change.run("raise_counts_page", counted)
    server.clock.now += 4 * ids.DAY_MS
    shown = (await page(await signed_in(server), "/mentions")).tables["Mentions, newest first"][1][-1]
    assert re.fullmatch(r"rose ×[34]\.[0-9]8[0-9] shares instead of about (1[6-9]|2[0-9])", shown), shown
