"""The sites in memory: known to the first requests however many come at once, looked at anew once a second."""

from __future__ import annotations

import asyncio

import pytest

from grapevine.sites.cache import SiteCache
from grapevine.store.rows import SiteRow

pytestmark = pytest.mark.anyio


class SlowSites:
    """A site repository that takes a turn of the event loop to answer, and counts how often it is asked."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)
        self.asked = 0
        self.away = False

    async def version(self) -> int:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise ConnectionError
        return len(self.keys)

    async def sites(self) -> list[SiteRow]:
        await asyncio.sleep(0)
        return [
            SiteRow(site_id=n, key=key, name=key, salt=f"{n:032x}", param="gv", place="auto", query="*", created_at=0)
            for n, key in enumerate(self.keys, 1)
        ]


class Clock:
    now = 1_800_000_000_000

    def __call__(self) -> int:
        return self.now


async def test_the_first_requests_all_find_their_site() -> None:
    source = SlowSites("a")
    sites = SiteCache(source, [b"key"], Clock())
    found = await asyncio.gather(*(sites.by_key("a") for _ in range(16)))
    assert all(found)
    assert source.asked == 1


async def test_changes_are_seen_within_a_second() -> None:
    source, clock = SlowSites("a"), Clock()
    sites = SiteCache(source, [b"key"], clock)
    assert await sites.by_key("b") is None
    source.keys.append("b")
    clock.now += 999
    assert await sites.by_key("b") is None
    clock.now += 1
    assert await sites.by_key("b") is not None
    assert source.asked == 2


async def test_a_registry_that_was_away_is_asked_again() -> None:
    source, clock = SlowSites("a"), Clock()
    sites = SiteCache(source, [b"key"], clock)
    source.away = True
    with pytest.raises(ConnectionError):
        await sites.by_key("a")
    source.away = False
    assert await sites.by_key("a") is not None
    source.keys.append("b")
    source.away = True
    clock.now += 1_000
    with pytest.raises(ConnectionError):
        await sites.by_key("b")
    source.away = False
    clock.now += 1_000
    assert await sites.by_key("b") is not None
