"""Feeds from their first reading to a webhook, against a real server, on every database."""

from __future__ import annotations

import asyncio
import gzip
import secrets
from collections.abc import AsyncIterator

import pytest

from grapevine.background.leases import Leases
from grapevine.domain import ids
from grapevine.egress.bounded_fetch import FetchBounds
from grapevine.egress.policy import EgressPolicy
from grapevine.errors import Invalid, NotFound
from grapevine.mentions.feeds import administration, polling
from grapevine.mentions.feeds.polling import CLAIM_MS, LONGEST_WAIT_MS, POLL_MS, FeedPolling
from grapevine.mentions.feeds.schemas import FeedChanges, FeedView, NewFeed
from grapevine.store.repositories.feeds import FeedRow
from tests.store.mentions.mentioned_site import HERE, PAGE, PUBLIC, SITE, MentionedSite
from tests.support.backends import Backend
from tests.support.source_server import SourceServer, serving_sources

pytestmark = pytest.mark.anyio

PATIENT = FetchBounds(most_bytes=100_000, seconds=30.0, redirects=3)
QUICK = FetchBounds(most_bytes=100_000, seconds=2.0, redirects=3)
"""For a feed that never answers: on a busy machine, others may take longer."""


def rss(*entries: str) -> str:
    return f"<rss version='2.0'><channel><title>F</title>{''.join(entries)}</channel></rss>"


def entry(number: int, text: str = PAGE, title: str = "On bread") -> str:
    return (
        f"<item><title>{title}</title><link>https://b.example/{number}</link><description>{text}</description></item>"
    )


class Killed(BaseException):
    """Ends a job as no error does."""


class FeedSite(MentionedSite):
    """A site with feeds."""

    bounds = PATIENT

    def polling(self, egress: EgressPolicy = HERE) -> FeedPolling:
        """Reads feeds as a process does."""
        leases = Leases(self.store.leases, lambda: self.now, secrets.token_hex(4))
        return FeedPolling(
            self.store, self.sites, lambda: self.now, leases, egress, secrets.token_bytes, lambda: 0.0, self._hear,
            lookup=self._look_up, bounds=self.bounds,
        )  # fmt: skip

    async def name(self, url: str) -> FeedView:
        """Names a feed."""
        return await administration.add(self.store.feeds, HERE, SITE, NewFeed(url=url), self.now, secrets.token_bytes)

    async def row(self, feed: FeedView) -> FeedRow:
        """A feed as it is stored."""
        found = await self.store.feeds.feed(SITE, feed.id)
        assert found is not None
        return found

    async def poll(self, after: int = POLL_MS) -> int:
        """Lets some time pass, and reads what is due then."""
        self.now += after
        return await self.polling().poll()


@pytest.fixture
async def site(store: Backend) -> FeedSite:
    found = FeedSite(store)
    await found.begin()
    return found


@pytest.fixture
async def sources() -> AsyncIterator[SourceServer]:
    async with serving_sources() as found:
        yield found


async def test_an_entry_is_one_mention_however_often_it_is_read(site: FeedSite, sources: SourceServer) -> None:
    text = rss(entry(1), entry(2, "https://a.example/unknown"), entry(3, "bread"), entry(1))
    sources.page("/feed", text, content_type="application/rss+xml", etag='"one"', last_modified="Mon, 1 Nov 2026")
    feed = await site.name(sources.url("/feed", "feeds.example"))
    assert (feed.name, feed.checked_at) == (f"feeds.example:{sources.port}", None)
    assert await site.poll(0) == 1
    (found,) = await site.mentions()
    assert (found.source_url, found.title, found.feed_id, found.at) == (
        "https://b.example/1", "On bread", feed.id, site.now,
    )  # fmt: skip
    assert (await site.told(), site.events) == (1, 1)
    row = await site.row(feed)
    assert (row.etag, row.next_at - site.now, row.failures, row.error) == ('"one"', POLL_MS, 0, None)
    assert await site.poll(POLL_MS - 1) == 0

    sources.page("/feed", rss(entry(1, title="Edited"), entry(4)), etag='"two"')
    assert await site.poll(1) == 1
    asked = sources.asked[-1].headers
    assert (asked["if-none-match"], asked["if-modified-since"]) == ('"one"', "Mon, 1 Nov 2026")
    assert {each.source_url[-1]: each.title for each in await site.mentions()} == {"1": "Edited", "4": "On bread"}
    assert (await site.told(), site.events) == (2, 2)
    sources.page("/feed", "", 304)
    assert await site.poll() == 1
    assert sources.asked[-1].headers["if-none-match"] == '"two"'
    assert (await site.row(feed)).etag == '"two"'
    await administration.remove(site.store.feeds, SITE, feed.id)
    assert (await site.poll(), len(await site.mentions())) == (0, 2)


async def test_a_feed_that_fails_is_asked_less_often(site: FeedSite, sources: SourceServer) -> None:
    feed = await site.name(sources.url("/feed", "feeds.example"))
    waits, row = [], await site.row(feed)
    for _ in range(9):
        assert await site.poll((await site.row(feed)).next_at - site.now) == 1
        row = await site.row(feed)
        waits.append(row.next_at - site.now)
    assert waits == [min(POLL_MS << failed, LONGEST_WAIT_MS) for failed in range(9)]
    assert (row.failures, row.error) == (9, "its server answered 404")
    sources.page("/feed", rss(entry(1)))
    await site.poll(LONGEST_WAIT_MS)
    row = await site.row(feed)
    assert (row.failures, row.error, row.next_at - site.now) == (0, None, POLL_MS)
    sources.page("/feed", "", 429, retry_after="7200")
    await site.poll()
    assert (await site.row(feed)).next_at - site.now == 7_200_000


async def test_hostile_feeds_cost_little_and_reach_nothing(site: FeedSite, sources: SourceServer) -> None:
    bomb = "<!DOCTYPE l [<!ENTITY a 'x'><!ENTITY b '&a;&a;'>]>" + rss("<item><title>&b;</title></item>")
    sources.page("/bomb", bomb)
    sources.page("/long", rss(*(entry(1) for _ in range(10_000))))
    sources.page("/packed", gzip.compress(rss(entry(2)).encode() + b" " * 50_000_000), content_encoding="gzip")
    sources.page("/inwards", "", 302, location="http://inner.example/feed")
    sources.page("/round", "", 302, location="/round")

    async def hang(_writer: object) -> None:
        await asyncio.sleep(60)

    site.addresses["inner.example"] = ("10.0.0.1",)
    feeds = {path: await site.name(sources.url(path, f"{path[1:]}.example")) for path in sources.pages}
    assert await site.poll(0) == 5
    sources.pages["/hangs"] = hang
    feeds["/hangs"] = await site.name(sources.url("/hangs", "hangs.example"))
    site.bounds = QUICK
    assert await site.poll(0) == 1
    errors = {path: (await site.row(feed)).error for path, feed in feeds.items()}
    assert errors == {
        "/bomb": "what it answered declares entities or attributes of its own, which are not read",
        "/long": "it is longer than 1 MiB; its beginning was read",
        "/packed": "it is longer than 1 MiB; its beginning was read",
        "/inwards": "not an address that this server may ask",
        "/round": "more than 3 redirects",
        "/hangs": "no answer within 2 seconds",
    }
    assert sorted(each.source_url for each in await site.mentions()) == ["https://b.example/1", "https://b.example/2"]
    assert await site.told() == 2
    assert await site.polling(PUBLIC).poll() == 0


async def test_new_mentions_of_a_day_are_bounded_and_the_others_wait(
    site: FeedSite, sources: SourceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "MOST_A_DAY", 5)
    monkeypatch.setattr(polling, "MOST_OF_FEED", 5)
    sources.page("/feed", rss(*(entry(number) for number in range(8))), etag='"x"')
    feed = await site.name(sources.url("/feed", "feeds.example"))
    await site.poll(0)
    row = await site.row(feed)
    assert (len(await site.mentions()), row.etag) == (5, None)
    assert row.error == "it brought 5 new mentions in 24 hours, which is the most; 3 wait"
    await site.poll(ids.DAY_MS + 1)
    assert (len(await site.mentions()), (await site.row(feed)).error) == (8, None)


async def test_a_noisy_feed_leaves_room_for_the_others(
    site: FeedSite, sources: SourceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(polling, "MOST_A_DAY", 6)
    monkeypatch.setattr(polling, "MOST_OF_FEED", 3)
    sources.page("/noisy", rss(*(entry(number) for number in range(7, 0, -1))), etag='"x"')
    for name in ("one", "two"):
        sources.page(f"/{name}", rss(*(entry(number + ord(name[0])) for number in range(2))))
    noisy = await site.name(sources.url("/noisy", "noisy.example"))
    await site.poll(0)
    assert sorted(each.source_url[-1] for each in await site.mentions()) == ["1", "2", "3"]  # the oldest
    row = await site.row(noisy)
    assert (row.error, row.etag) == ("it brought 3 new mentions in 24 hours, which is the most; 4 wait", None)
    one, two = [await site.name(sources.url(f"/{name}", f"{name}.example")) for name in ("one", "two")]
    await site.poll(1)
    by_feed = [each.feed_id for each in await site.mentions()]
    assert (by_feed.count(noisy.id), len(by_feed)) == (3, 6)
    said = [(await site.row(each)).error or "" for each in (one, two)]
    assert sorted(said) == ["", "its site has 6 new mentions from feeds in 24 hours, which is the most; 1 wait"]
    await site.poll(ids.DAY_MS + 1)
    await site.poll(ids.DAY_MS + 1)
    assert len(await site.mentions()) == 7 + 2 + 2
    assert [(await site.row(each)).error for each in (noisy, one, two)] == [None] * 3


async def test_a_killed_process_loses_and_doubles_nothing(site: FeedSite, sources: SourceServer) -> None:
    """One process ends after it has stored the first of two mentions; another finds the feed due again."""
    sources.page("/feed", rss(entry(1), entry(2)), etag='"x"')
    feed = await site.name(sources.url("/feed", "feeds.example"))
    killed = site.polling()

    def die() -> None:
        raise Killed

    killed._on_event = die  # noqa: SLF001
    with pytest.raises(BaseExceptionGroup):
        await killed.poll()
    assert (len(await site.mentions()), (await site.row(feed)).etag) == (1, None)
    assert await site.poll(CLAIM_MS - 1) == 0
    assert await site.poll(1) == 1
    assert (len(await site.mentions()), await site.told()) == (2, 2)


async def test_two_processes_read_a_feed_once(site: FeedSite, sources: SourceServer) -> None:
    sources.page("/feed", rss(entry(1)))
    await site.name(sources.url("/feed", "feeds.example"))
    assert sum(await asyncio.gather(site.polling().poll(), site.polling().poll())) == 1
    assert len(sources.asked) == 1


async def test_what_can_be_named(site: FeedSite) -> None:
    feed = await site.name("https://b.example")
    assert (feed.url, feed.name) == ("https://b.example/", "b.example")
    for url in ("https://b.example/", "ftp://b.example/", "http://10.0.0.1/", "https://u:p@b.example/", "x"):
        with pytest.raises(Invalid):
            await site.name(url)
    for number in range(19):
        await site.name(f"https://b.example/{number}")
    with pytest.raises(Invalid):
        await site.name("https://b.example/20")
    renamed = await administration.rename(site.store.feeds, SITE, feed.id, FeedChanges(name=" Bread "))
    assert renamed.name == "Bread"
    for name in ("", "\u202e", "a\x00b"):
        with pytest.raises(Invalid):
            await administration.rename(site.store.feeds, SITE, feed.id, FeedChanges(name=name))
    with pytest.raises(NotFound):
        await administration.get(site.store.feeds, SITE + 1, feed.id)
    with pytest.raises(NotFound):
        await administration.remove(site.store.feeds, SITE, "feed_x")
