"""Spikes, deliveries and attribution, page by page, while rows come: every old row once, and the sums hold."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any, NamedTuple

import pytest

from grapevine.analytics.attribution import attribute_conversions
from grapevine.analytics.models.attribution import Attribution, CreditRow, ShareCredit
from grapevine.analytics.spikes import list_spikes
from grapevine.domain import cursors, ids
from grapevine.domain.periods import Period
from grapevine.domain.urls import OTHER_PAGE, page_id
from grapevine.errors import Invalid
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.webhooks import endpoints
from tests.store.databases import Database, Databases, Plant
from tests.store.world import FIRST_DAY, PAGES, SITE, World, grow, site_of
from tests.support.differences import Differences

pytestmark = pytest.mark.anyio

DAYS = Period(ids.day_date(FIRST_DAY), ids.day_date(FIRST_DAY + 6))
START = ids.day_start(FIRST_DAY)
HOOK = "wh_listed"


class Filled(NamedTuple):
    """A store with a world in it."""

    database: Database
    store: Store
    world: World
    site: Site

    async def spike(self, page: str, at: int) -> None:
        await self.database.change(
            "INSERT INTO spikes (site_id, page_id, started_at, last_at, returns, expected, peak) "
            f"VALUES ({SITE}, {page_id(SITE, page)}, {at}, {at}, 52, 2.1, 52)"
        )

    async def deliver(self, name: str, at: int) -> None:
        await self.database.change(
            "INSERT INTO deliveries (delivery_id, webhook_id, site_id, event, payload, created_at, attempts, next_at) "
            f"VALUES ('{name}', '{HOOK}', {SITE}, 'spike.detected', '{{}}', {at}, 0, {at})"
        )

    async def attribute(self, **asked: Any) -> Attribution:
        return await attribute_conversions(self.store.reads, self.site, period=DAYS, **asked)


@pytest.fixture
async def filled(databases: Databases) -> AsyncIterator[Filled]:
    async with databases.holding(Plant(2)) as database:
        store = database.store()
        await store.open()
        world = grow(2)
        yield Filled(database, store, world, site_of(world))
        await store.close()


async def test_spikes_page_by_page_while_new_ones_are_raised(filled: Filled) -> None:
    old = [(page, START + hour) for page, hour in product(PAGES, (3, 2, 2 * ids.DAY_MS))]
    for page, at in old:
        await filled.spike(page, at)
    for limit in (1, 2, 5, 12):
        seen: list[tuple[str, str]] = []
        cursor: str | None = None
        while True:
            found = await list_spikes(filled.store, filled.site, START, DAYS, limit, cursor=cursor)
            seen += [(spike.page, spike.at) for spike in found.spikes]
            assert len(found.spikes) == limit or found.next is None
            await filled.spike(PAGES[0], START + 3 * ids.DAY_MS + 100 * limit + len(seen))
            cursor = found.next
            if cursor is None:
                break
        assert len(seen) == len(set(seen))
        assert {(page, ids.day_at(at)) for page, at in old} <= {(page, _day(at)) for page, at in seen}
        assert [at for _, at in seen] == sorted((at for _, at in seen), reverse=True)
    mine = await list_spikes(filled.store, filled.site, START, DAYS, 2, page=PAGES[3])
    assert [spike.page for spike in mine.spikes] == [PAGES[3]] * 2
    rest = await list_spikes(filled.store, filled.site, START, DAYS, 2, page=PAGES[3], cursor=mine.next)
    assert ([spike.page for spike in rest.spikes], rest.next) == ([PAGES[3]], None)
    for other in (None, PAGES[0]):
        with pytest.raises(Invalid):
            await list_spikes(filled.store, filled.site, START, DAYS, 2, page=other, cursor=mine.next)


def _day(at: str) -> int:
    return ids.day_number(date.fromisoformat(at[:10]))


async def test_deliveries_page_by_page_while_new_ones_are_posted(filled: Filled) -> None:
    await filled.database.change(
        "INSERT INTO webhooks (webhook_id, site_id, url, secret, events, created_at) "
        f"VALUES ('{HOOK}', {SITE}, 'https://hook.example/', 's', 'spike.detected', 0)"
    )
    old = [f"msg_{letter}{at}" for at in range(3) for letter in "aBc_Z-"]
    for name in old:
        await filled.deliver(name, START + int(name[-1]))
    for limit in (1, 4, 17):
        seen: list[str] = []
        cursor: str | None = None
        while True:
            found = await endpoints.deliveries(filled.store.webhooks, SITE, HOOK, limit, cursor)
            seen += [delivery.id for delivery in found.deliveries]
            assert len(found.deliveries) == limit or found.next is None
            await filled.deliver(f"msg_new{limit}_{len(seen)}", START + 10)
            cursor = found.next
            if cursor is None:
                break
        assert len(seen) == len(set(seen))
        in_order = sorted(old, key=lambda name: (-int(name[-1]), name))
        assert [name for name in seen if not name.startswith("msg_new")] == in_order
    asked = cursors.question("deliveries", HOOK)
    for position in ((1,), (1, ""), (1, "a'b"), (1, "a\0"), (1, "a" * 81), ("1", "a"), (1 << 63, "a"), (1, "a", 2)):
        with pytest.raises(Invalid):
            await endpoints.deliveries(filled.store.webhooks, SITE, HOOK, 1, cursors.written(asked, position))
    for limit in (0, 101):
        with pytest.raises(Invalid):
            await endpoints.deliveries(filled.store.webhooks, SITE, HOOK, limit)


async def test_attribution_page_by_page_adds_up(filled: Filled) -> None:
    await filled.database.change(f"DELETE FROM pages WHERE page_id = {page_id(SITE, PAGES[2])}")
    differences = Differences()
    for model, sort, limit in (("linear", "top", 2), ("linear", "key", 2), ("first", "top", 9)):
        whole = await filled.attribute(model=model, limit=1_000)
        assert whole.next is None
        pages, shares = [row for row in whole.pages if row.key != OTHER_PAGE], whole.shares
        seen_pages: list[CreditRow] = []
        seen_shares: list[ShareCredit] = []
        cursor: str | None = None
        while True:
            part = await filled.attribute(model=model, limit=limit, sort=sort, cursor=cursor)
            case = (model, sort, limit, len(seen_shares))
            ended = not part.pages and cursor is not None
            left = sum((Decimal(row.conversions) for row in seen_pages), Decimal(0))
            total = sum((Decimal(row.conversions) for row in whole.pages), Decimal(0))
            if not ended:
                sum_of_part = sum((Decimal(row.conversions) for row in part.pages), Decimal(0))
                differences.compare((*case, "pages"), sum_of_part, total - left)
            credit = sum((Decimal(row.conversions) for row in (*seen_shares, *part.shares)), Decimal(0))
            differences.compare((*case, "shares"), credit, total if part.shares else credit)
            differences.compare((*case, "rest"), (part.channels, part.value), (whole.channels, whole.value))
            seen_pages += [row for row in part.pages if row.key != OTHER_PAGE]
            seen_shares += [row for row in part.shares if row.key != OTHER_PAGE]
            cursor = part.next
            if cursor is None:
                break
        if sort == "key":
            differences.compare((model, limit, "order"), [row.key for row in seen_pages], sorted(r.key for r in pages))
            seen_pages.sort(key=pages.index)
            seen_shares.sort(key=shares.index)
        differences.compare((model, sort, limit, "all pages"), seen_pages, pages)
        differences.compare((model, sort, limit, "all shares"), seen_shares, shares)
    assert differences.compared > 50
    differences.check(differences.compared)


async def test_a_reader_of_credits_by_key_sees_every_share_once_while_conversions_come(filled: Filled) -> None:
    old = {row.key for row in (await filled.attribute(model="linear", limit=1_000)).shares}
    returned = [visit for visit in filled.world.visits if visit.returned and visit.counts]
    seen: list[str] = []
    cursor: str | None = None
    for visit in returned * 9:
        part = await filled.attribute(model="linear", limit=2, sort="key", cursor=cursor)
        seen += [row.key for row in part.shares if row.key != OTHER_PAGE]
        place = f"{SITE}, {visit.visit_id}, {ids.cell_of(visit.visit_id)}"
        await filled.database.change(
            "INSERT INTO conversions (site_id, visit_id, cell, goal, event_key, at, value, currency, reported_by) "
            f"VALUES ({place}, 'late', {len(seen)}, {START + 2 * ids.DAY_MS}, 5, 'EUR', 1)"
        )
        cursor = part.next
        if cursor is None:
            break
    assert cursor is None
    assert len(seen) == len(set(seen))
    assert old <= set(seen)


async def test_a_cursor_of_credits_answers_one_question(filled: Filled) -> None:
    asked: dict[str, Any] = {"model": "linear", "limit": 1}
    cursor = (await filled.attribute(**asked)).next
    assert (await filled.attribute(cursor=cursor, **asked)).shares
    for change in ({"model": "first"}, {"goal": "signup"}, {"sort": "key"}, {"cursor": "x"}, {"cursor": ""}):
        with pytest.raises(Invalid) as caught:
            await filled.attribute(**{"cursor": cursor, **asked, **change})
        assert [error.field for error in caught.value.errors] == ["cursor"], change
