"""Visits that a verdict took out of the counts, against a count of every single one, on each backend."""

from __future__ import annotations

import sqlite3
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from contextlib import closing

import pytest

from grapevine.analytics.count_tables import scope_of
from grapevine.analytics.metrics import EVERYTHING, Filters
from grapevine.analytics.summary import period_summary, suspect_counts
from grapevine.domain import channels, enums, ids
from grapevine.domain.periods import Period
from grapevine.store import sql_loader
from grapevine.store.readers.reads import Reads
from tests.store.databases import Databases, Plant
from tests.store.sqlite.test_query_plans import plan
from tests.store.world import FIRST_DAY, PAGES, World, grow, site_of

pytestmark = pytest.mark.anyio

WHOLE = Period(ids.day_date(FIRST_DAY - 1), ids.day_date(FIRST_DAY + 7))
PERIODS = (WHOLE, Period(ids.day_date(FIRST_DAY + 1), ids.day_date(FIRST_DAY + 2)))
FILTERS = (
    EVERYTHING,
    Filters(page=PAGES[1]),
    Filters(channel="copy"),
    Filters(source="search"),
    Filters(device="phone"),
    Filters(page=PAGES[0], source="share", device="desktop"),
)


class WorldWithSuspects:
    """A store that holds one world and a second one of another site."""

    def __init__(self, reads: Reads, world: World) -> None:
        self.reads = reads
        self.world = world

    def chosen(self, period: Period, filters: Filters) -> Iterator[int]:
        """The verdicts of a period's suspects that pass the filters."""
        for visit in self.world.visits:
            names = {
                "page": visit.page,
                "channel": channels.NAMES.get(visit.arrival),
                "source": enums.SOURCE_NAMES[visit.source],
                "device": enums.DEVICE_NAMES[visit.device],
            }
            wanted = {name: getattr(filters, name) for name in names if getattr(filters, name) is not None}
            if visit.verdict and period.start <= visit.at < period.end and wanted.items() <= names.items():
                yield visit.verdict


@pytest.fixture(scope="module")
async def filled(databases: Databases) -> AsyncIterator[WorldWithSuspects]:
    async with databases.holding(Plant(3, size=400), Plant(3, site_id=8)) as database:
        store = database.store()
        await store.open()
        yield WorldWithSuspects(store.reads, grow(3, size=400))
        await store.close()


@pytest.mark.parametrize("period", PERIODS, ids=["whole", "middle"])
@pytest.mark.parametrize("filters", FILTERS, ids=repr)
async def test_suspects_are_what_a_count_finds(filled: WorldWithSuspects, period: Period, filters: Filters) -> None:
    expected = Counter(filled.chosen(period, filters))
    site = site_of(filled.world)
    found = await suspect_counts(filled.reads, await scope_of(filled.reads, site, period, filters))
    assert found == {verdict: expected[code] for verdict, code in enums.VERDICTS.items()}
    assert list(found) == list(enums.VERDICTS)
    assert (await period_summary(filled.reads, site, period, filters)).suspects == found


async def test_every_verdict_was_met(filled: WorldWithSuspects) -> None:
    assert set(filled.chosen(PERIODS[1], EVERYTHING)) == set(enums.VERDICTS.values())


async def test_a_site_without_suspects(filled: WorldWithSuspects) -> None:
    other = site_of(World(site_id=99))
    scope = await scope_of(filled.reads, other, WHOLE, EVERYTHING)
    assert await suspect_counts(filled.reads, scope) == dict.fromkeys(enums.VERDICTS, 0)


async def test_an_erased_suspect_is_none(databases: Databases) -> None:
    async with databases.holding(Plant(3)) as database:
        await database.change("UPDATE visits SET verdict = 1, flags = flags | 4")
        store = database.store()
        await store.open()
        scope = await scope_of(store.reads, site_of(grow(3)), WHOLE, EVERYTHING)
        found = await suspect_counts(store.reads, scope)
        await store.close()
    assert found == dict.fromkeys(enums.VERDICTS, 0)


def test_only_suspects_are_read() -> None:
    with closing(sqlite3.connect(":memory:")) as database:
        for migration in sql_loader.migrations():
            database.executescript(sql_loader.for_dialect("sqlite", migration.text))
        steps = plan(database, "suspects_by")
    assert "visits_verdict (site_id=? AND at>? AND at<?)" in steps[0]
