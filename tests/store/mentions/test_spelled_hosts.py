"""A host is asked in its turn, however the address of a source spells it."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from grapevine.egress.hosts import host_of
from tests.store.mentions.mentioned_site import PAGE, MentionedSite
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


async def test_an_address_in_another_spelling_is_the_same_host(site: MentionedSite, sources: SourceServer) -> None:
    sources.page("/post", LINK)
    port = sources.port
    for host in ("127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.1", "%31%32%37.1", "127.0.0.1."):
        await site.take(f"http://{host}:{port}/post")
    assert [url for url, *_ in await site.waiting()] == [f"http://127.0.0.1:{port}/post"]
    for number, host in enumerate(("127.1", "0x7f000001", "2130706433", "a.example.org", "A.Example.org.")):
        await site.take(f"http://{host}:{port}/post?{number}")
    site.now += 60_000
    before = len(sources.asked)
    await site.reader().read_due()
    assert len(sources.asked) == before + 1  # and the name, which leads to the same address, waits, too
    found = await site.store.look("SELECT DISTINCT source_host FROM webmentions ORDER BY source_host")
    assert [host for (host,) in found] == ["127.0.0.1", "a.example.org"]


async def test_the_same_host_is_spelled_alike() -> None:
    for same in (
        (
            "http://127.0.0.1/",
            "https://127.1:8443/x",
            "http://0x7f.1./",
            "http://[::ffff:127.0.0.1]/",
            "http://[::ffff:7f00:1]/",
        ),
        ("https://a.example/", "http://A.EXAMPLE.:8080/x", "https://%61.example/"),
        ("https://xn--bcher-kva.example/", "https://b\u00fccher.example./"),
        ("http://[2001:db8::1]/", "http://[2001:0DB8:0:0::1]:8080/"),
        ("x", "http://", "http://1.2.3.4.5/"),
    ):
        assert len({host_of(url) for url in same}) == 1, same
