"""The estimate of the dark part: its results on deep direct visits, what moves it, and when it refuses to estimate."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from grapevine.analytics.direct import MOST_VISITS_BEFORE, capture, direct_summary
from grapevine.analytics.models.dark_evidence.days import STILL, UNKNOWN_LUCK, luck, movements, scatter
from grapevine.analytics.models.dark_evidence.estimate import (
    FEWEST_DAYS,
    FEWEST_DEEP,
    FEWEST_RETURNS,
    WIDEST,
    Estimated,
    Lacking,
    NoEstimate,
    estimate_dark_visits,
)
from grapevine.analytics.models.dark_evidence.inputs import GROUPS, PageSeries
from grapevine.analytics.models.dark_evidence.pages import site_of as pages_of
from grapevine.analytics.models.dark_evidence.pages import usual_visits
from grapevine.analytics.models.dark_evidence.posterior import cells_of, page_quantile, posterior
from grapevine.domain.periods import Period
from grapevine.store.readers.reads import Reads
from grapevine.store.rows import Counts
from tests.store.world import SITE, World, site_of

DAYS = 30


def page(seed: int, ratio: float = 1.5, waves: float = 0.8, bookmarks: float = 0.1, days: int = DAYS) -> PageSeries:
    """A page with waves of sharing; ``ratio`` dark visits come with a return, ``bookmarks`` with a general visit."""
    chance = random.Random(seed)  # noqa: S311
    general = [round(1_000 * (0.6 if day % 7 > 4 else 1.0) * chance.uniform(0.9, 1.1)) for day in range(days)]
    waving = [200 * chance.lognormvariate(0, waves) for _ in range(days)]
    returns = [[_near(chance, wave / GROUPS) for _ in range(GROUPS)] for wave in waving]
    deep = [
        _near(chance, ratio * wave) + _near(chance, bookmarks * visits)
        for wave, visits in zip(waving, general, strict=True)
    ]
    return PageSeries(deep, general, returns)


def _near(chance: random.Random, mean: float) -> int:
    return max(0, round(chance.gauss(mean, mean**0.5)))


def dark(found: Estimated) -> float:
    assert found.total is not None
    return found.total.value


def test_what_moves_with_returns_is_dark_and_what_follows_traffic_is_not() -> None:
    pages = [page(seed) for seed in range(4)]
    found = estimate_dark_visits(pages)
    returns = sum(sum(map(sum, one.returns)) for one in pages)
    assert dark(found) == pytest.approx(1.5 * returns, rel=0.1)
    assert found.total is not None
    assert found.total.low < 1.5 * returns < found.total.high
    assert (found.reason, found.lacking) == (None, None)


def test_little_is_found_where_nothing_is_dark() -> None:
    pages = [page(seed, ratio=0.0, bookmarks=1.5) for seed in range(4)]
    found = estimate_dark_visits(pages)
    assert found.total is not None
    assert found.total.low < 0.05 * sum(sum(one.deep) for one in pages)
    assert dark(found) < 0.15 * sum(sum(one.deep) for one in pages)


def test_pages_that_are_shared_more_have_more_direct_visits_where_these_are_dark() -> None:
    """Without any movement from day to day: pages alone say how much is dark."""

    def still(returns: int, ratio: float) -> PageSeries:
        return PageSeries([40 + round(ratio * returns)] * 14, [400] * 14, [[returns, 0, 0, 0]] * 14)

    low, high = ([still(returns, ratio) for returns in (0, 1, 3, 6, 10, 20, 40)] for ratio in (0.3, 2.5))
    for pages, ratio in ((low, 0.3), (high, 2.5)):
        found = estimate_dark_visits(pages)
        returns = sum(sum(map(sum, one.returns)) for one in pages)
        assert found.total is not None
        assert found.total.low < ratio * returns < found.total.high
    assert dark(estimate_dark_visits(low)) < 0.3 * dark(estimate_dark_visits(high))


def test_pages_may_differ() -> None:
    pages = [page(seed, ratio=(0.5, 3.0)[seed % 2]) for seed in range(8)]
    found = estimate_dark_visits(pages)
    own = [one.value / sum(map(sum, series.returns)) for one, series in zip(found.pages, pages, strict=True) if one]
    assert all(0.3 < ratio < 1.2 for ratio in own[::2])  # drawn towards what the pages have in common
    assert all(1.8 < ratio < 3.3 for ratio in own[1::2])


def test_the_days_before_make_the_interval_narrower() -> None:
    pages = [few(seed) for seed in range(6)]
    alone, known = estimate_dark_visits(pages), estimate_dark_visits(pages, [page(seed) for seed in range(6)])
    assert alone.total is not None
    assert known.total is not None
    assert known.total.high - known.total.low < alone.total.high - alone.total.low


def test_a_few_days_before_are_too_few() -> None:
    pages = [few(seed) for seed in range(6)]
    assert estimate_dark_visits(pages, [page(seed, days=13) for seed in range(6)]) == estimate_dark_visits(pages)


def few(seed: int) -> PageSeries:
    """A page of a small site."""
    large = page(seed)
    return PageSeries(
        [visits // 40 for visits in large.deep],
        [visits // 40 for visits in large.general],
        [[number // 40 for number in day] for day in large.returns],
    )


def test_previews_say_how_much_a_page_is_shared() -> None:
    """Of two pages with as many returns, the one with more previews is shared more, and surer."""
    returns = [[1, 0, 0, 0]] * 14
    quiet, loud = (PageSeries([10] * 14, [100] * 14, returns, unfurled) for unfurled in (2, 20))
    known = pages_of([quiet, loud]).pages
    assert known[0].shared < known[1].shared
    assert known[0].sure < known[1].sure
    unknown = pages_of([quiet, quiet]).pages
    assert unknown[0] == unknown[1]


def test_a_spike_is_no_ordinary_traffic() -> None:
    steady_days = [100] * 20
    spike = [*steady_days[:10], 5_000, *steady_days[11:]]
    assert usual_visits(spike) - usual_visits(steady_days) == pytest.approx(102)
    assert usual_visits([0] * 5) == 1


def test_few_days_do_not_move() -> None:
    pages = [page(1, days=5)]
    assert movements(pages) == [STILL]
    assert luck([STILL], [7]) == UNKNOWN_LUCK
    noise = scatter([STILL], 1.0)
    assert (noise.cross, noise.both, noise.signal) == (0, 0, 0)
    assert movements([]) == []


def test_cells_cover_each_number_once() -> None:
    for deep in (0, 1, 12, 13, 100, 54_321):
        cells = cells_of(deep)
        assert (cells.middles[0], cells.middles[-1]) == (0, deep)
        assert (cells.ends[0], cells.ends[-1]) == (-0.5, deep + 0.5)
        assert cells.ends == sorted(set(cells.ends))
        assert all(
            start < middle < end for start, middle, end in zip(cells.ends, cells.middles, cells.ends[1:], strict=False)
        )
    assert len(cells_of(54_321).middles) < 100


def test_quantiles_of_a_page() -> None:
    cells = cells_of(3)
    assert page_quantile(cells, [0.25] * 4, 0.5) == pytest.approx(1.5)
    assert page_quantile(cells, [0, 1, 0, 0], 0.5) == pytest.approx(1)
    assert page_quantile(cells, [0.1, 0.1, 0.1, 0.1], 2.0) == cells.ends[-1]


def test_the_posterior_is_a_distribution() -> None:
    found = posterior(pages_of([few(seed) for seed in range(4)]), None)
    assert sum(one.weight for one in found.believed) == pytest.approx(1)
    for _, chances in found.pages:
        assert sum(chances) == pytest.approx(1)
    mean = sum(one.weight * one.mean for one in found.believed)
    by_page = sum(sum(map(float.__mul__, chances, cells.middles)) for cells, chances in found.pages)
    assert by_page == pytest.approx(mean)


def test_nothing_is_more_than_all_or_less_than_none() -> None:
    pages = [page(seed, ratio=2.0, bookmarks=0.0) for seed in range(3)]
    found = estimate_dark_visits(pages)
    assert found.total is not None
    intervals = [(found.total, sum(sum(one.deep) for one in pages))]
    intervals += [(each, sum(one.deep)) for each, one in zip(found.pages, pages, strict=True) if each is not None]
    for interval, deep in intervals:
        assert 0 <= interval.low <= interval.value <= interval.high <= deep


def test_a_page_without_returns_has_few_dark_visits() -> None:
    silent = PageSeries([50] * DAYS, [500] * DAYS, [[0] * GROUPS] * DAYS)
    empty = PageSeries([0] * DAYS, [0] * DAYS, [[0] * GROUPS] * DAYS)
    unvisited = PageSeries([0] * DAYS, [9] * DAYS, [[0] * GROUPS] * DAYS)
    found = estimate_dark_visits([page(1), page(2), silent, empty, unvisited])
    assert found.pages[0] is not None
    assert found.pages[2] is not None
    assert found.pages[2].value < 0.1 * 50 * DAYS
    assert found.pages[3:] == [None, None]


def test_the_same_numbers_give_the_same_answer() -> None:
    pages = [page(seed) for seed in range(4)]
    assert estimate_dark_visits(pages) == estimate_dark_visits(pages)


def test_the_order_of_pages_is_nothing() -> None:
    pages = [page(seed) for seed in range(4)]
    assert dark(estimate_dark_visits(pages)) == pytest.approx(dark(estimate_dark_visits(pages[::-1])))


def steady(deep: int, returns: int, days: int = DAYS) -> list[PageSeries]:
    return [PageSeries([deep] * days, [100 + day % 5 for day in range(days)], [[returns] * GROUPS] * days)]


@pytest.mark.parametrize(
    ("pages", "reason", "lacking"),
    [
        ([], "too-few-days", Lacking(FEWEST_DAYS, FEWEST_DEEP, FEWEST_RETURNS, 0.0, None)),
        (steady(deep=9, returns=1, days=FEWEST_DAYS - 2), "too-few-days", Lacking(2, 0, 0, 0.0, 2)),
        (steady(deep=2, returns=1, days=9), "too-few-deep-visits", Lacking(0, FEWEST_DEEP - 18, 0, 0.0, 1)),
        (steady(deep=100, returns=0), "too-few-returns", Lacking(0, 0, FEWEST_RETURNS, 0.0, None)),
        (
            [PageSeries([100] * 20, [100] * 20, [[0] * GROUPS] * 19 + [[5, 0, 0, 0]])],
            "too-few-returns",
            Lacking(0, 0, FEWEST_RETURNS - 5, 0.0, 20),
        ),
    ],
)
def test_without_enough_data_it_says_what_is_missing(
    pages: list[PageSeries], reason: NoEstimate, lacking: Lacking
) -> None:
    assert estimate_dark_visits(pages) == Estimated(None, [None] * len(pages), reason, lacking)


def test_an_interval_that_says_nothing_is_not_shown() -> None:
    pages = steady(deep=100, returns=6)  # one page that never moves: as many dark visits as the prior allows
    found = estimate_dark_visits(pages)
    assert (found.total, found.pages, found.reason) == (None, [None], "too-uncertain")
    assert found.lacking is not None
    assert 0 < found.lacking.points < 100 * (1 - WIDEST)
    assert found.lacking.wait is not None
    assert 0 < found.lacking.wait < 6 * DAYS


def test_every_page_needs_every_day() -> None:
    with pytest.raises(ValueError, match="each day"):
        estimate_dark_visits([page(1), page(2, days=DAYS - 1)])


class FixedSeries:
    """A Runner that knows one site's series."""

    def __init__(self, series: list[PageSeries], first: int) -> None:
        self.answers: dict[str, list[tuple[Any, ...]]] = {
            "counts_of_pages": [(number, *[0] * 6) for number in range(len(series))],
            "direct_days": [
                (number, first + day, deep, general, *returns)
                for number, one in enumerate(series)
                for day, (deep, general, returns) in enumerate(zip(one.deep, one.general, one.returns, strict=True))
            ],
            "page_urls": [(number, f"https://example.org/{number}") for number in range(len(series))],
            "direct_unfurled": [],
            "counts_day_by": [],
            "direct_apps": [("slack", 3, 6, 3), ("org.example.reader", 2, 6, 3)],
            "direct_evidence": [(None, None, None, None, None)],
            "direct_shares": [(80, 50, 40)],
        }

    async def run(
        self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        assert params["site_id"] == SITE
        assert rows is None or rows
        return self.answers[name]


@pytest.mark.anyio
async def test_the_answer_has_the_estimate_in_whole_visits() -> None:
    pages = [page(seed) for seed in range(4)]
    period = Period(date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=DAYS - 1))
    answer = await direct_summary(Reads(FixedSeries(pages, period.days.start)), site_of(World(SITE)), period)
    found = estimate_dark_visits(pages)
    assert found.total is not None
    assert answer.estimate.value == round(found.total.value)
    assert (answer.estimate.low, answer.estimate.high) == (round(found.total.low), round(found.total.high))
    assert answer.estimate.of == sum(sum(one.deep) for one in pages)
    assert answer.estimate.reason is None
    assert [one.deep for one in answer.pages] == sorted((sum(one.deep) for one in pages), reverse=True)
    assert all(
        one.low <= one.value <= one.high <= one.deep
        for one in answer.pages
        if one.value is not None and one.low is not None and one.high is not None
    )
    assert (answer.evidence.in_app, answer.evidence.app_referrer) == (3, 3)
    assert answer.evidence.apps == {"org.example.reader": 2, "slack": 3, "(other)": 1}
    assert answer.shares.estimated == 100


def test_capture_and_recapture() -> None:
    # Of 100 shares 80 are reported and 50 proven, each without knowing of the other: 40 are both.
    shares = capture(80, 50, 40)
    assert shares.estimated == 100
    assert shares.reports_lost == pytest.approx(0.2)
    assert capture(10, 0, 0).estimated is None
    assert capture(10, 0, 0).reports_lost is None


class Asked(FixedSeries):
    """Knows how many visits each day had, and remembers which days it is asked for."""

    def __init__(self, series: list[PageSeries], first: int, visits: dict[int, int]) -> None:
        super().__init__(series, first)
        self.visits = visits
        self.days: list[tuple[int, int]] = []

    async def run(
        self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        if name == "direct_days":
            self.days.append((params["from_day"], params["to_day"]))
        if name == "counts_day_by" and params["by"] == "day":
            columns = Counts.__struct_fields__
            return [
                (day, None, *(visits if column == "visits" else 0 for column in columns))
                for day, visits in self.visits.items()
                if params["from_day"] <= day < params["to_day"]
            ]
        return await super().run(name, rows, **params)


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("visits", "before"),
    [
        ({}, None),
        ({-90: 5}, None),
        ({-200: 5, -20: 7, -3: 1}, 20),
        ({-60: 1, -61: 1}, 60),
        ({-1: MOST_VISITS_BEFORE, -2: 1}, 1),
        ({-1: MOST_VISITS_BEFORE + 1}, None),
    ],
)
async def test_history_is_read_within_its_bounds(visits: dict[int, int], before: int | None) -> None:
    period = Period(date(2026, 1, 1), date(2026, 1, 1) + timedelta(days=DAYS - 1))
    first = period.days.start
    runner = Asked([page(1)], first, {first + day: number for day, number in visits.items()})
    await direct_summary(Reads(runner), site_of(World(SITE)), period)
    asked = [(first, first + DAYS)] + ([] if before is None else [(first - before, first)])
    assert runner.days == asked


@pytest.mark.anyio
async def test_before_the_first_possible_day_there_is_no_history() -> None:
    period = Period(date(2000, 1, 1), date(2000, 1, 30))
    runner = Asked([page(1)], period.days.start, {})
    answer = await direct_summary(Reads(runner), site_of(World(SITE)), period)
    assert answer.estimate.of > 0
    assert len(runner.days) == 1
