"""A breakdown, page by page: all pages are the whole list, and rows that come meanwhile move none."""

from __future__ import annotations

from collections.abc import AsyncIterator
from itertools import count, product
from typing import Any

import pytest

from grapevine.analytics.breakdown import SORTS, BreakdownPage, breakdown_by, breakdown_page
from grapevine.analytics.metrics import DIMENSIONS, EVERYTHING, BreakdownRow, Filters
from grapevine.domain import cursors, ids
from grapevine.domain.periods import Period
from grapevine.domain.urls import page_id
from grapevine.errors import Invalid
from tests.store.analytics.stored_world import StoredWorld
from tests.store.databases import Database, Databases, Plant
from tests.store.world import FIRST_DAY, PAGES, SITE, World, grow, site_of
from tests.support.differences import Differences

pytestmark = pytest.mark.anyio

DAYS = Period(ids.day_date(FIRST_DAY + 1), ids.day_date(FIRST_DAY + 3))
WHOLE = Period(ids.day_date(FIRST_DAY - 15), ids.day_date(FIRST_DAY + 15))


class Growing:
    """A stored world into which more visits come."""

    def __init__(self, database: Database, stored: StoredWorld) -> None:
        self.database = database
        self.stored = stored
        self._slots = count(100)

    async def page(self, **asked: Any) -> BreakdownPage:
        return await breakdown_page(self.stored.reads, self.stored.site, period=DAYS, **asked)

    async def visit(self, page: str, visits: int) -> None:
        """More visits that begin on a page, known or new."""
        number, slot = page_id(SITE, page), next(self._slots)
        await self.database.change(
            "INSERT INTO pages (site_id, page_id, cell, day, url) "
            f"VALUES ({SITE}, {number}, {number % ids.CELLS}, {FIRST_DAY}, '{page}') ON CONFLICT DO NOTHING"
        )
        await self.database.change(
            "INSERT INTO counts_page (site_id, day, page_id, cell, views, visits) "
            f"VALUES ({SITE}, {FIRST_DAY + 2}, {number}, {slot}, {visits}, {visits})"
        )


@pytest.fixture
async def growing(databases: Databases) -> AsyncIterator[Growing]:
    async with databases.holding(Plant(3), Plant(3, site_id=8)) as database:
        store = database.store()
        await store.open()
        world = grow(3)
        yield Growing(database, StoredWorld(store.reads, world, site_of(world)))
        await store.close()


async def read_all(growing: Growing, period: Period, limit: int, **asked: Any) -> list[BreakdownRow]:
    """All rows, by pages of ``limit``."""
    rows: list[BreakdownRow] = []
    cursor: str | None = None
    while True:
        page = await breakdown_page(
            growing.stored.reads, growing.stored.site, period=period, limit=limit, cursor=cursor, **asked
        )
        assert len(page.rows) == limit or page.next is None
        rows += page.rows
        cursor = page.next
        if cursor is None:
            return rows


async def test_all_pages_are_the_whole_list(growing: Growing) -> None:
    for table, page in product(("counts_page", "counts_week"), PAGES[2:]):  # two pages have conversions alone
        await growing.database.change(f"DELETE FROM {table} WHERE page_id = {page_id(SITE, page)}")
    differences = Differences()
    reads, site = growing.stored.reads, growing.stored.site
    filtered = (EVERYTHING, Filters(app="instagram"))
    asked = list(product(DIMENSIONS, filtered, (DAYS, WHOLE)))
    for by, filters, period in asked:
        whole = await breakdown_by(reads, site, by, period, filters, 1_000)
        for sort, limit in product(SORTS, (2,)):
            rows = await read_all(growing, period, limit, by=by, filters=filters, sort=sort)
            if sort == "key":
                by_key = await breakdown_page(reads, site, by, period, filters, 1_000, sort)
                differences.compare((by, filters, period, sort, limit), rows, by_key.rows)
                rows.sort(key=lambda row: whole.index(row))
            differences.compare((by, filters, period, sort, limit, "whole"), rows, whole)
    differences.check(len(asked) * (1 + 2))
    alone = [row for row in await breakdown_by(reads, site, "page", DAYS) if not row.views and not row.shares]
    assert [bool(row.conversions) for row in alone] == [True, True]


async def test_a_reader_by_key_sees_every_page_once_while_visits_come(growing: Growing) -> None:
    for number in range(12):
        await growing.visit(f"https://example.org/old/{number}", number + 1)
    before = {str(row.key) for row in (await growing.page(by="page", limit=1_000)).rows}
    seen: list[str] = []
    page = await growing.page(by="page", sort="key", limit=3)
    for number in count():
        seen += [str(row.key) for row in page.rows]
        for place in (f"https://example.org/new/{number}", f"https://example.org/old/{number % 12}", *PAGES[:2]):
            await growing.visit(place, 50)
        if page.next is None:
            break
        page = await growing.page(by="page", sort="key", limit=3, cursor=page.next)
    assert len(seen) == len(set(seen)) >= 16
    assert before <= set(seen)


async def test_no_row_comes_twice_while_visits_come(growing: Growing) -> None:
    for number in range(12):
        await growing.visit(f"https://example.org/old/{number}", 10 * number + 1)
    still = {f"https://example.org/old/{number}" for number in range(12) if number % 3}
    seen: list[str] = []
    page = await growing.page(by="page", limit=2)
    for number in count():
        seen += [str(row.key) for row in page.rows]
        for place in (f"https://example.org/new/{number}", f"https://example.org/old/{3 * (number % 4)}", PAGES[0]):
            await growing.visit(place, 40)
        if page.next is None:
            break
        page = await growing.page(by="page", limit=2, cursor=page.next)
    assert len(seen) == len(set(seen))
    assert still <= set(seen)


async def test_a_cursor_answers_one_question(growing: Growing) -> None:
    reads, site = growing.stored.reads, growing.stored.site
    asked: dict[str, Any] = {"by": "page", "period": DAYS, "filters": EVERYTHING, "sort": "top", "limit": 1}
    cursor = (await breakdown_page(reads, site, **asked)).next
    assert (await breakdown_page(reads, site, cursor=cursor, **asked | {"limit": 7})).rows
    changes: list[dict[str, Any]] = [
        {"by": "channel"}, {"by": "app"}, {"period": WHOLE}, {"filters": Filters(app="instagram")}, {"sort": "key"},
    ]  # fmt: skip
    for change in changes:
        with pytest.raises(Invalid) as caught:
            await breakdown_page(reads, site, cursor=cursor, **asked | change)
        assert [error.field for error in caught.value.errors] == ["cursor"], change
    other = site_of(World(site_id=8))
    with pytest.raises(Invalid):
        await breakdown_page(reads, other, cursor=cursor, **asked)
    question = cursors.question("breakdown", site.key, "page", "top", DAYS, EVERYTHING)
    for position in ((1, "text"), (1,), ("1", 2), (1 << 63, 1), (1, -(1 << 63) - 1), (1, 2, 3), (1, None)):
        with pytest.raises(Invalid):
            await breakdown_page(reads, site, cursor=cursors.written(question, position), **asked)


@pytest.mark.parametrize(
    ("field", "asked"), [("sort", {"by": "page", "sort": "size"}), ("cursor", {"by": "page", "cursor": "x"})]
)
async def test_refusals_name_the_field(growing: Growing, field: str, asked: dict[str, Any]) -> None:
    with pytest.raises(Invalid) as caught:
        await growing.page(**asked)
    assert [error.field for error in caught.value.errors] == [field]
