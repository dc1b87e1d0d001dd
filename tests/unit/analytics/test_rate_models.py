"""Intervals of rates against values that others computed, and at their edges."""

from __future__ import annotations

import math

import pytest

from grapevine.analytics.models.rates import (
    FEWEST_CLUSTERS,
    Observed,
    median_time,
    ratio_interval,
    student_quantile,
    wilson_interval,
)


@pytest.mark.parametrize(("freedom", "expected"), [(3, 3.182), (5, 2.571), (10, 2.228), (30, 2.042), (1e9, 1.960)])
def test_student_of_the_tables(freedom: float, expected: float) -> None:
    assert student_quantile(0.975, freedom) == pytest.approx(expected, rel=0.01)


@pytest.mark.parametrize(
    ("times", "of", "low", "high"), [(81, 263, 0.2553, 0.3662), (15, 148, 0.0624, 0.1605), (0, 20, 0.0, 0.1611)]
)
def test_wilson_as_newcombe_has_it(times: int, of: int, low: float, high: float) -> None:
    """Newcombe 1998, Statistics in Medicine 17, table I."""
    found = wilson_interval(times, of)
    assert found is not None
    assert (found.low, found.high) == pytest.approx((low, high), abs=1e-4)
    assert found.value == times / of


def test_a_proportion_of_nothing() -> None:
    assert wilson_interval(0, 0) is None


def test_one_return_of_each_of_many_is_poissons_interval() -> None:
    """Where no cluster has more than one, the variance of the logarithm is 1/events - 1/clusters."""
    found = ratio_interval([(1, 1)] * 400, 1_000, 1_000, 1_000)
    assert found is not None
    assert found.value == 0.4
    deviation = math.sqrt((1 / 400 - 1 / 1_000) * 1_000 / 999)
    assert math.log(found.high / found.value) / deviation == pytest.approx(1.966, abs=0.002)


def test_clusters_widen_it() -> None:
    alone = ratio_interval([(1, 1)] * 100, 1_000, 1_000, 1_000)
    together = ratio_interval([(10, 1)] * 10, 1_000, 1_000, 1_000)
    assert alone is not None
    assert together is not None
    assert alone.value == together.value
    assert together.high / together.low > (alone.high / alone.low) ** 2


def test_too_few_say_nothing() -> None:
    assert ratio_interval([(1, 1)] * (FEWEST_CLUSTERS - 1), 100, 100, 100) is None
    assert ratio_interval([(1, 1)], 4, 4, 4) is None
    assert ratio_interval([], 0, 0, 0) is None
    assert median_time([]) is None
    assert median_time([Observed(1, 100.0, [1.0, 2.0])] * 50) is None  # one sharer


def test_nobody_came_has_an_upper_end() -> None:
    found = ratio_interval([], 300, 300, 300)
    assert found is not None
    assert (found.value, found.low) == (0, 0)
    assert found.high == pytest.approx(0.01, rel=0.01)  # three in as many


def test_a_median_among_shares_that_were_all_followed() -> None:
    found = median_time([Observed(number, 1_000.0, [float(number)]) for number in range(1, 102)])
    assert found is not None
    assert found.value == 51
    assert found.low < 51 < found.high
    assert found.within == 1_000


def test_returns_that_few_could_show_count_for_more() -> None:
    """Half of the shares were followed for 10 only: without censoring, the median would be the early ones'."""
    early = [Observed(number, 10.0, [5.0]) for number in range(50)]
    late = [Observed(number, 100.0, [5.0, 50.0, 51.0]) for number in range(50, 100)]
    found = median_time(early + late)
    assert found is not None
    assert found.value == 50.0
