"""Which addresses of a target show a stored page, on every database."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from grapevine.domain.urls import page_id
from grapevine.errors import WebmentionRefused
from tests.store.mentions.mentioned_site import SITE, MentionedSite
from tests.support.backends import Backend
from tests.support.source_server import SourceServer, serving_sources

pytestmark = pytest.mark.anyio


@pytest.fixture
async def sources() -> AsyncIterator[SourceServer]:
    async with serving_sources() as found:
        yield found


async def test_an_address_that_leads_to_a_page_by_a_redirect_of_its_site_shows_it(
    store: Backend, sources: SourceServer
) -> None:
    site = MentionedSite(store)
    origins = ("https://www.a.example", "https://a.example", "http://a.example", "https://shop.a.example")
    await site.begin(f"{origins[0]}/bread", f"{origins[1]}/rye/", f"{origins[0]}/rye/?x=1", origins=origins)
    shown = {
        "https://a.example/bread": "https://www.a.example/bread",
        "http://a.example/bread/?utm_source=x#crust": "https://www.a.example/bread",
        "https://www.a.example/bread/": "https://www.a.example/bread",
        "http://a.example/rye": "https://a.example/rye/",
        "https://www.a.example/rye/": "https://a.example/rye/",
        "https://a.example/rye?x=1": "https://www.a.example/rye/?x=1",
    }
    for number, (target, page) in enumerate(shown.items()):
        sources.page(f"/{number}", f'<a href="{target}">x</a>')
        assert await site.take(sources.url(f"/{number}", f"blog{number}.example"), target), target
        assert await site.read() == {"new": 1}, target
        (found,) = [each for each in await site.mentions() if each.source_url.endswith(f"/{number}")]
        assert found.page_id == page_id(SITE, page), target
    # What is another page, and what is on another host of the site, shows nothing of it.
    for target in ("https://shop.a.example/bread", "https://a.example/Bread", "https://a.example/bread/jam"):
        with pytest.raises(WebmentionRefused):
            await site.take(sources.url("/0", "blog.example"), target)
    await site.know("https://a.example/bread")
    sources.page("/none", '<a href="https://a.example/bread">x</a><a href="https://shop.a.example/bread">x</a>')
    assert await site.take(sources.url("/none", "blog.example"), "https://www.a.example/bread")
    assert await site.read() == {"not-linked": 1}
