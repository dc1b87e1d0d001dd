"""Mentions on a real store: once each, with its event or not at all, refreshed, listed in order."""

from __future__ import annotations

import secrets

import pytest

from grapevine.domain import ids
from grapevine.domain.urls import page_id
from grapevine.mentions.pages import KnownPage
from grapevine.mentions.recording import MENTION_CREATED, mention_event, message_ids
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.store.repositories.mentions import FEED, WEBMENTION, MentionRow, mention_row
from grapevine.store.repositories.webhooks import WebhookRow
from grapevine.store.rows import SiteRow

pytestmark = pytest.mark.anyio

SITE = 7
NOW = ids.day_start(2500)
DRAW = message_ids(secrets.token_bytes)


def site() -> Site:
    """The site that is mentioned."""
    row = SiteRow(
        site_id=SITE, key="site-a", name="a", salt="00" * 32, param="gv", place="auto", query="*",
        created_at=NOW, origins=("https://a.example",),
    )  # fmt: skip
    return Site(row, [b"k" * 32])


def page(path: str) -> KnownPage:
    """A page of the site."""
    url = f"https://a.example{path}"
    return KnownPage(page_id(SITE, url), url)


async def test_a_mention_is_stored_once_with_one_event(store: Store) -> None:
    here = page("/bread")
    hook = WebhookRow("wh_1", SITE, "https://hooks.example/", "whsec_x", MENTION_CREATED, NOW)
    await store.webhooks.add(hook)
    first = mention_row(SITE, here.page_id, WEBMENTION, "https://b.example/post", NOW, title="Good", author="Ann")
    told = mention_event(site(), here, first, NOW)
    assert await store.mentions.add(first, told, DRAW)
    later = mention_row(SITE, here.page_id, FEED, "https://b.example/post", NOW + 5, feed_id="f", title="Better")
    assert not await store.mentions.add(later, told, DRAW)
    (found,) = await store.mentions.mentions(SITE, NOW, NOW + 10, 10)
    assert (found.title, found.author, found.kind, found.at) == ("Better", None, WEBMENTION, NOW)
    assert len(await store.webhooks.deliveries(SITE, "wh_1", 10)) == 1
    assert await store.mentions.mentions(8, NOW, NOW + 10, 10) == []


async def test_mentions_are_listed_newest_first_and_page_by_page(store: Store) -> None:
    rows = list[MentionRow]()
    for number in range(12):
        here, kind = page(f"/{number % 3}"), FEED if number % 2 else WEBMENTION
        row = mention_row(SITE, here.page_id, kind, f"https://b.example/{number}", NOW + number // 4)
        rows.append(row)
        await store.mentions.add(row, mention_event(site(), here, row, NOW), DRAW)
    rows.sort(key=lambda row: (-row.at, row.page_id, row.mention_key))
    assert await store.mentions.mentions(SITE, NOW, NOW + 3, 50) == rows
    assert await store.mentions.mentions(SITE, NOW + 1, NOW + 2, 50) == [row for row in rows if row.at == NOW + 1]
    feeds = await store.mentions.mentions(SITE, NOW, NOW + 3, 50, kind=FEED, gone=False)
    assert feeds == [row for row in rows if row.kind == FEED]
    assert await store.mentions.mentions(SITE, NOW, NOW + 3, 50, gone=True) == []
    for only in (None, page("/1").page_id):
        seen, position = list[MentionRow](), dict[str, int]()
        while some := await store.mentions.mentions(SITE, NOW, NOW + 3, 1, page_id=only, **position):  # type: ignore[arg-type]
            seen += some
            position = {"before": some[0].at, "after_page": some[0].page_id, "after_key": some[0].mention_key}
        assert seen == [row for row in rows if only in (None, row.page_id)]
