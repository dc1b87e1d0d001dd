"""The dark-social estimate: its results on deep direct visits, and when it refuses to estimate."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import date, timedelta
from typing import Any

import pytest

from grapevine.analytics.direct import capture, direct_summary
from grapevine.analytics.models.dark_social import (
    FEWEST_DAYS,
    GROUPS,
    Estimated,
    NoEstimate,
    PageSeries,
    estimate_dark_visits,
)
from grapevine.domain.periods import Period
from grapevine.store.readers.reads import Reads
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
    assert found.ratio == pytest.approx(1.5, rel=0.1)
    assert found.reason is None


def test_no_dark_part_is_found_where_there_is_none() -> None:
    found = estimate_dark_visits([page(seed, ratio=0.0, bookmarks=0.5) for seed in range(4)])
    deep = sum(sum(page(seed, ratio=0.0, bookmarks=0.5).deep) for seed in range(4))
    assert dark(found) < 0.05 * deep
    assert found.total is not None
    assert found.total.low == 0


def test_pages_may_differ() -> None:
    pages = [page(seed, ratio=(0.5, 3.0)[seed % 2]) for seed in range(8)]
    found = estimate_dark_visits(pages)
    own = [one.value / sum(map(sum, series.returns)) for one, series in zip(found.pages, pages, strict=True) if one]
    assert all(0.3 < ratio < 1.0 for ratio in own[::2])  # drawn towards what the pages have in common
    assert all(1.8 < ratio < 3.3 for ratio in own[1::2])


def test_nothing_is_more_than_all_or_less_than_none() -> None:
    pages = [page(seed, ratio=2.0, bookmarks=0.0) for seed in range(3)]
    found = estimate_dark_visits(pages)
    assert found.total is not None
    intervals = [(found.total, sum(sum(one.deep) for one in pages))]
    intervals += [(each, sum(one.deep)) for each, one in zip(found.pages, pages, strict=True) if each is not None]
    for interval, deep in intervals:
        assert 0 <= interval.low <= interval.value <= interval.high <= deep


def test_of_a_page_without_returns_nothing_is_said() -> None:
    silent = PageSeries([50] * DAYS, [500] * DAYS, [[0] * GROUPS] * DAYS)
    found = estimate_dark_visits([page(1), page(2), silent])
    assert found.total is not None
    assert found.pages[0] is not None
    assert found.pages[2] is None


def test_the_same_numbers_give_the_same_answer() -> None:
    pages = [page(seed) for seed in range(4)]
    assert estimate_dark_visits(pages) == estimate_dark_visits(pages)


def test_the_order_of_pages_is_nothing() -> None:
    pages = [page(seed) for seed in range(4)]
    assert dark(estimate_dark_visits(pages)) == pytest.approx(dark(estimate_dark_visits(pages[::-1])))


def steady(deep: int, returns: int, days: int = DAYS) -> list[PageSeries]:
    return [PageSeries([deep] * days, [100 + day % 5 for day in range(days)], [[returns] * GROUPS] * days)]


@pytest.mark.parametrize(
    ("pages", "reason"),
    [
        ([], "too-few-days"),
        ([page(1, days=FEWEST_DAYS - 1)], "too-few-days"),
        (steady(deep=1, returns=10), "too-few-deep-visits"),
        (steady(deep=100, returns=0), "too-few-returns"),
        (steady(deep=100, returns=10), "returns-do-not-move"),
        ([PageSeries([100] * DAYS, [0] * DAYS, [[3] * GROUPS] * DAYS)], "returns-do-not-move"),
    ],
)
def test_without_enough_data_it_says_so(pages: list[PageSeries], reason: NoEstimate) -> None:
    assert estimate_dark_visits(pages) == Estimated(None, [None] * len(pages), None, reason)


def test_an_interval_that_says_nothing_is_not_shown() -> None:
    chance = random.Random(3)  # noqa: S311
    noisy = [
        PageSeries([chance.randrange(100, 4_000) for _ in range(DAYS)], one.general, one.returns)
        for one in (page(seed, waves=0.5) for seed in range(3))
    ]
    found = estimate_dark_visits(noisy)
    assert (found.total, found.pages, found.reason) == (None, [None] * 3, "too-uncertain")


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
            "counts_day_by": [],
            "direct_apps": [("slack", 3, 6, 3), ("org.example.reader", 2, 6, 3)],
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
