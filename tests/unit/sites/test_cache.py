"""The sites in memory: known to the first requests however many come at once, looked at anew once a second."""

from __future__ import annotations

import asyncio

import pytest

from grapevine.domain import ids
from grapevine.domain.channels import SESSION
from grapevine.domain.tokens import Tokens
from grapevine.sites.cache import SiteCache
from grapevine.store.repositories.sites import AT_ONCE
from grapevine.store.rows import SiteRow

pytestmark = pytest.mark.anyio


class SlowSites:
    """A site repository that takes a turn of the event loop to answer, and counts how often it is asked."""

    def __init__(self, *keys: str) -> None:
        self.keys = list(keys)
        self.asked = 0
        self.away = False
        self.cells = ids.SITE_CELLS

    async def version(self) -> int:
        self.asked += 1
        await asyncio.sleep(0)
        if self.away:
            raise ConnectionError
        return len(self.keys)

    async def sites_after(self, site_id: int) -> list[SiteRow]:
        await asyncio.sleep(0)
        numbers = range(site_id + 1, min(len(self.keys), site_id + AT_ONCE) + 1)
        return [
            SiteRow(
                site_id=number,
                key=self.keys[number - 1],
                name="a site",
                salt=f"{number:032x}",
                param="gv",
                place="auto",
                query="*",
                created_at=0,
                cells=self.cells,
            )
            for number in numbers
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


async def test_the_signer_of_a_token_is_found_in_any_cell_of_its_site() -> None:
    sites = SiteCache(SlowSites(*map(str, range(600))), [b"key"], Clock())
    for site in (await sites.all())[::7]:
        for number in range(site.spread if site.spread < ids.CELLS else 9):
            visit_id = ids.pack(2500, ids.cell_of_site(site.site_id, site.spread, number), 7)
            assert await sites.owner(site.tokens.session(visit_id)) == (site, (visit_id, SESSION, 0))


@pytest.mark.parametrize(("cells", "most"), [(ids.SITE_CELLS, ids.SITES_EVERYWHERE + 3), (ids.CELLS, 4_000)])
async def test_only_the_sites_of_its_cell_are_tried(cells: int, most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """Sites from before visits had cells of their site are in all of them."""
    source = SlowSites(*map(str, range(4_000)))
    source.cells = cells
    sites = SiteCache(source, [b"key"], Clock())
    await sites.refresh()
    tried: list[Tokens] = []
    monkeypatch.setattr(Tokens, "signed", lambda tokens, _: tried.append(tokens))
    forged = Tokens([b"another key"], b"salt").mint(ids.pack(2500, 1234, 7), [0])[0]
    assert await sites.owner(forged) is None
    assert min(ids.SITES_EVERYWHERE, most) <= len(tried) <= most


async def test_a_change_makes_no_other_site_anew() -> None:
    source, clock = SlowSites("a", "b"), Clock()
    sites = SiteCache(source, [b"key"], clock)
    first = await sites.by_key("a")
    source.keys.append("c")
    clock.now += 1_000
    assert await sites.by_key("c") is not None
    assert await sites.by_key("a") is first


async def test_reading_many_sites_leaves_the_loop_to_others() -> None:
    sites = SiteCache(SlowSites(*map(str, range(5 * AT_ONCE))), [b"key"], Clock())
    turns = 0

    async def others() -> None:
        nonlocal turns
        while True:
            turns += 1
            await asyncio.sleep(0)

    task = asyncio.create_task(others())
    assert len(await sites.all()) == 5 * AT_ONCE
    task.cancel()
    assert turns > 5
