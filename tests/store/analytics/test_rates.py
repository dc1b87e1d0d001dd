"""The numbers behind the rates, compared with a count of every object of a random world, on each backend."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from grapevine.analytics import rates
from grapevine.analytics.metrics import EVERYTHING, Filters
from grapevine.analytics.rates import HOURS_OF_WEEK, RATE_DIMENSIONS, Rates, period_rates
from grapevine.analytics.visit_samples import MOST_RANGES, drawn_ids
from grapevine.domain import channels, enums, ids
from grapevine.domain.periods import Period
from grapevine.errors import Invalid
from grapevine.store.readers.scope import Scope
from tests.store.analytics.stored_world import StoredWorld, stored_world
from tests.store.databases import Databases
from tests.store.world import CHANNELS, FIRST_DAY, PAGES, Share, Visit

pytestmark = pytest.mark.anyio

PERIOD = Period(ids.day_date(FIRST_DAY - 1), ids.day_date(FIRST_DAY + 7))
SHORT = Period(ids.day_date(FIRST_DAY + 1), ids.day_date(FIRST_DAY + 3))
FILTERS = [
    EVERYTHING,
    Filters(channel="copy"),
    Filters(page=PAGES[1]),
    Filters(source="search"),
    Filters(device="phone"),
]


@pytest.fixture(scope="module", params=[1, 3])
async def filled(request: pytest.FixtureRequest, databases: Databases) -> AsyncIterator[StoredWorld]:
    async with stored_world(databases, request.param) as filled:
        yield filled


def named(visit: Visit, filters: Filters) -> bool:
    return (
        (filters.page is None or visit.page == filters.page)
        and (filters.source is None or visit.source == enums.SOURCES[filters.source])
        and (filters.device is None or visit.device == enums.DEVICES[filters.device])
    )


async def asked(filled: StoredWorld, by: str, period: Period, filters: Filters = EVERYTHING, **more: object) -> Rates:
    return await period_rates(filled.reads, filled.site, by, period, period.end, filters, **more)  # type: ignore[arg-type]


@pytest.mark.parametrize("filters", FILTERS)
@pytest.mark.parametrize("period", [PERIOD, SHORT])
@pytest.mark.parametrize("by", RATE_DIMENSIONS)
async def test_what_the_rates_are_made_of(filled: StoredWorld, by: str, period: Period, filters: Filters) -> None:
    def within(at: int | None) -> bool:
        return at is not None and period.start <= at < period.end

    visits = [one for one in filled.world.real_visits() if within(one.at) and named(one, filters)]
    shares = [
        one
        for one in filled.world.shares.values()
        if one.visit in visits
        and within(one.first_at)
        and (filters.channel is None or one.channel == channels.CODES[filters.channel])
    ]
    answer = await asked(filled, by, period, filters, limit=100)
    assert answer.part == 1
    assert answer.next is None
    keys: dict[str, tuple[list[Visit], list[Share]]] = {}
    if by == "channel":
        for channel in {one.channel for one in shares}:
            keys[channels.NAMES[channel]] = (visits, [one for one in shares if one.channel == channel])
    else:
        for page in {one.page for one in visits}:
            made = [one for one in shares if one.visit.page == page]
            keys[page] = ([one for one in visits if one.page == page], made)
    found = {row.key: row for row in answer.rows}
    assert [row.shares for row in answer.rows] == sorted((row.shares for row in answer.rows), reverse=True)
    named_rows = {key: row for key, row in found.items() if key != "(other)"}  # pages beyond the bound have one name
    assert named_rows.keys() == {key for key in keys if key in found or key != PAGES[3]}
    for key, row in named_rows.items():
        of, made = keys[key]
        assert row.visits == sum(not one.aside for one in of)
        assert row.views == sum(one.views for one in of)
        assert row.sharers == len({one.visit.visit_id for one in made})
        assert row.shares == len(made)
        assert row.returns == sum(one.at < period.end for share in made for one in share.returns)
        if row.hours is not None:
            assert len(row.hours.sharers) == HOURS_OF_WEEK
            assert sum(row.hours.sharers) == row.sharers
        for rate in (row.shares_per_100_views, row.returns_per_share, row.k):
            assert rate is None or 0 <= rate.low <= rate.value <= rate.high
        for delay in (row.half_life, row.hop_time):
            assert delay is None or 0 <= delay.low <= delay.value <= delay.high <= delay.within
    assert any(row.k for row in answer.rows) or filters != EVERYTHING


@pytest.mark.parametrize("by", RATE_DIMENSIONS)
async def test_pages_of_the_list_are_the_whole_list(filled: StoredWorld, by: str) -> None:
    whole = await asked(filled, by, PERIOD, limit=100)
    rows, cursor = [], None
    while True:
        page = await asked(filled, by, PERIOD, limit=1, cursor=cursor)
        rows += page.rows
        cursor = page.next
        if cursor is None:
            break
    assert rows == whole.rows
    assert len(rows) > 1


async def test_questions_that_are_refused(filled: StoredWorld) -> None:
    first = await asked(filled, "page", PERIOD, limit=1)
    for by, more in (
        ("device", {}),
        ("page", {"limit": 0}),
        ("page", {"limit": 101}),
        ("channel", {"cursor": first.next}),
    ):
        with pytest.raises(Invalid):
            await asked(filled, by, PERIOD, **more)


async def test_of_many_visits_a_part_is_read(filled: StoredWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_VISITS", 40)
    monkeypatch.setattr(filled.site, "spread", ids.CELLS)
    answer = await asked(filled, "channel", PERIOD)
    assert 0 < answer.part < 1
    ranges = drawn_ids(filled.site, Scope(filled.site.site_id, PERIOD.start, PERIOD.end), answer.part).ranges
    visits = [one for one in filled.world.real_visits() if PERIOD.start <= one.at < PERIOD.end and not one.aside]
    drawn = [one for one in visits if any(start <= one.visit_id < to for start, to in ranges)]
    assert 0 < len(drawn) < len(visits)
    assert answer.rows
    assert {row.visits for row in answer.rows} == {len(drawn)}
    assert answer == await asked(filled, "channel", PERIOD)


async def test_bounds_on_what_the_part_has_made(filled: StoredWorld, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rates, "MOST_SHARES", 5)
    monkeypatch.setattr(rates, "MOST_RETURNS", 2)
    answer = await asked(filled, "channel", PERIOD)
    assert sum(row.shares for row in answer.rows) == 5
    assert sum(row.returns for row in answer.rows) <= 2


@pytest.mark.parametrize("days", [3, 60, 400, 3_000])
@pytest.mark.parametrize("spread", [2, ids.CELLS])
@pytest.mark.parametrize("part", [0.01, 0.25, 0.9, 1.0])
def test_a_part_of_the_ids_is_about_as_large(filled: StoredWorld, spread: int, part: float, days: int) -> None:
    filled.site.spread, before = spread, filled.site.spread
    start = ids.day_start(FIRST_DAY)
    drawn = drawn_ids(filled.site, Scope(filled.site.site_id, start, start + days * ids.DAY_MS), part)
    filled.site.spread = before
    assert len(drawn.ranges) <= MOST_RANGES + 2
    assert drawn.part <= part + 1e-9
    assert all(to < after for (_, to), (after, _) in zip(drawn.ranges, drawn.ranges[1:], strict=False))
    of = (ids.CELLS if part == 1 or spread == ids.CELLS else spread) << 32
    assert sum(to - start for start, to in drawn.ranges) / ((days + 2) * of) == pytest.approx(drawn.part, rel=0.25)
    assert len({share.channel for share in filled.world.shares.values()} & set(CHANNELS)) > 1
