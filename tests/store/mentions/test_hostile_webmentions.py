"""What strangers try with webmentions: to end what others found, to have own pages mentioned, to keep a server busy."""

from __future__ import annotations

import secrets
import threading
from collections.abc import AsyncIterator

import pytest

from grapevine.domain.urls import page_id
from grapevine.egress.bounded_fetch import FetchedText
from grapevine.errors import Busy, WebmentionRefused
from grapevine.mentions import checking
from grapevine.mentions.pages import KnownPage
from grapevine.mentions.receiving import WebmentionReceiver
from grapevine.mentions.recording import mention_event, message_ids
from grapevine.mentions.source_page import IsTarget, SourceFacts, read_source
from grapevine.store.repositories.mentions import FEED, mention_row
from grapevine.store.repositories.webmentions import QueueBounds
from tests.store.mentions.mentioned_site import HERE, PAGE, SITE, MentionedSite
from tests.support.backends import Backend
from tests.support.source_server import SourceServer, serving_sources

pytestmark = pytest.mark.anyio

LINK = f'<p>See <a href="{PAGE}">this</a>.</p>'


@pytest.fixture
async def site(store: Backend) -> MentionedSite:
    found = MentionedSite(store)
    await found.begin()
    return found


@pytest.fixture
async def sources() -> AsyncIterator[SourceServer]:
    async with serving_sources() as found:
        yield found


async def test_a_webmention_ends_no_mention_that_a_feed_found(site: MentionedSite, sources: SourceServer) -> None:
    source = sources.url("/paywalled")
    found = mention_row(SITE, page_id(SITE, PAGE), FEED, source, site.now, feed_id="f", title="Found")
    known = await site.sites.by_id(SITE)
    assert known is not None
    told = mention_event(known, KnownPage(found.page_id, PAGE), found, site.now)
    await site.store.mentions.add(found, told, message_ids(secrets.token_bytes))
    for status, result in ((200, "not-linked"), (410, "gone")):
        sources.page("/paywalled", "<p>Subscribe to read.</p>", status)
        await site.take(source)
        assert await site.read() == {result: 1}
        assert [(each.title, each.gone_at) for each in await site.mentions()] == [("Found", None)]


async def test_no_source_leads_back_to_the_site_or_to_this_server(site: MentionedSite, sources: SourceServer) -> None:
    sources.page("/own", f"<title>Own page</title>{LINK}")
    here = f"http://own.example:{sources.port}"
    sources.page("/away", "", 302, location=f"{here}/own")
    for site_origins, server in (((here,), ()), ((), (here,))):
        await site.store.sites.change_site(SITE, {"origins": ["https://a.example", *site_origins]})
        site.now += 2_000
        receiver = WebmentionReceiver(site.store, site.sites, HERE, lambda: site.now, server)
        with pytest.raises(WebmentionRefused, match="own pages"):
            await receiver.take(f"{here}/own", PAGE)
        assert await receiver.take(sources.url("/away", "near.example"), PAGE)
        reader = site.reader(own_origins=server)
        assert await site.read(reader=reader) == {"refused": 1}
    assert (await site.mentions(), await site.waiting()) == ([], [])


async def test_sources_are_judged_one_at_a_time(
    site: MentionedSite, sources: SourceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checking, "ADDRESS_MS", 0)
    together, judging = threading.Event(), threading.Lock()

    def judged(answer: FetchedText, is_target: IsTarget) -> SourceFacts | None:
        if not judging.acquire(blocking=False):
            together.set()
            return None
        together.wait(0.2)  # where two could be judged at once, the other one would be by now
        judging.release()
        return read_source(answer, is_target)

    monkeypatch.setattr(checking, "read_source", judged)
    sources.page("/post", LINK)
    for number in range(3):
        await site.take(sources.url("/post", f"h{number}.example"))
    assert await site.read() == {"new": 3}
    assert not together.is_set()


async def test_sources_that_fail_take_no_place_of_new_ones(
    site: MentionedSite, sources: SourceServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("grapevine.mentions.receiving.QUEUE", QueueBounds(of_site=3, of_host=2, of_server=4))
    monkeypatch.setattr(checking, "FAILING", QueueBounds(of_site=2, of_host=1, of_server=9))
    monkeypatch.setattr(checking, "MOST_AT_ONCE", 1)
    monkeypatch.setattr(checking, "ADDRESS_MS", 0)
    sources.page("/down", "", 503)
    sources.page("/busy", "", 302, location=f"http://h0.example:{sources.port}/down")
    paths = ("/down", "/down", "/busy")  # the last one leads to a host that was asked a moment ago

    failing = [sources.url(path, f"h{number}.example") for number, path in enumerate(paths)]
    for source in failing:
        await site.take(source)
        site.now += 1
    with pytest.raises(Busy):
        await site.take(sources.url("/post"))
    assert [await site.read(0) for _ in failing] == [{"failed": 1}, {"failed": 1}, {"put-off": 1}]
    assert [(url, attempts) for url, attempts, *_ in await site.waiting()] == [(each, 1) for each in failing[1:]]
    for source in failing[1:]:
        assert not await site.take(source)  # a repeat makes none of them new
    sources.page("/post", LINK)
    assert await site.take(sources.url("/post"))
    last = [sources.url("/down", f"h{number}.example") for number in (7, 8)]
    for source in last:
        site.now += 1
        assert await site.take(source)
    site.now += 60_000
    assert [await site.read(0) for _ in range(6)].count({"failed": 1}) == 4
    assert [row.source_url for row in await site.mentions()] == [sources.url("/post")]
    assert [url for url, attempts, *_ in await site.waiting() if attempts] == last
