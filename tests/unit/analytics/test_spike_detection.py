"""The spike statistic: its tail probability is exact, and its baseline rate is the past rate."""

from __future__ import annotations

import math
import random
from fractions import Fraction
from itertools import pairwise

import pytest

from grapevine.analytics.models.spike_detection import (
    FEWEST_HOURS,
    FEWEST_RETURNS,
    HOURS,
    LEAST_RISE,
    Episode,
    goes_on,
    judge,
    level,
    rhythm,
    set_apart,
    spread,
    tail,
)
from grapevine.domain.ids import DAY_MS, HOUR_MS
from tests.accuracy.worlds import poisson
from tests.bench.spikes import quarter

FLAT = [1.0] * (HOURS + 1)
NOON = 20_000 * DAY_MS + 12 * HOUR_MS


def past(mean: float, last: int, hours: int = HOURS, seed: int = 1) -> list[int]:
    chance = random.Random(seed)  # noqa: S311
    return [last, *(poisson(chance, mean) for _ in range(hours))]


@pytest.mark.parametrize(("mean", "size"), [(0.5, 0.1), (3.0, 2.5), (40.0, 12.0), (0.01, 0.002)])
@pytest.mark.parametrize("count", [1, 5, 30, 90])
def test_the_tail_against_exact_sums(count: int, mean: float, size: float) -> None:
    """With rational numbers, the terms below ``count`` taken from one."""
    m, r = Fraction(mean), Fraction(size)
    term, below = Fraction(1), Fraction(0)
    for k in range(count):
        below += term
        term *= (r + k) / (k + 1) * m / (m + r)
    none = math.exp(size * math.log(size / (size + mean)))
    assert tail(count, mean, size) == pytest.approx(1 - float(below) * none, abs=1e-12, rel=1e-6)


def test_the_tail_falls_and_is_a_probability() -> None:
    tails = [tail(count, 7.0, 2.0) for count in range(400)]
    assert tails[0] == pytest.approx(1.0)
    assert all(1 >= more > fewer > 0 for more, fewer in pairwise(tails))


def test_a_spike_is_found_and_says_what_was_expected() -> None:
    found = judge(past(2.0, 60), FLAT, 10)
    assert found is not None
    assert found.returns == 60
    assert 1.3 < found.expected < 3.0
    assert found.probability <= level(10)


@pytest.mark.parametrize("last", [0, 2, 6, 10])
def test_what_is_usual_is_no_spike(last: int) -> None:
    assert judge(past(5.0, last), FLAT, 10) is None


def test_too_few_too_young_too_little() -> None:
    assert judge(past(0.1, FEWEST_RETURNS - 1), FLAT, 1) is None
    assert judge(past(1.0, 200, FEWEST_HOURS - 1), FLAT, 1) is None
    assert judge(past(1.0, 200, FEWEST_HOURS), FLAT, 1) is not None
    assert judge(past(100.0, int(100 * LEAST_RISE) - 60), FLAT, 1) is None


def test_more_pages_ask_for_more() -> None:
    last = next(last for last in range(20, 200) if judge(past(2.0, last), FLAT, 1))
    assert judge(past(2.0, last), FLAT, 1) is not None
    assert judge(past(2.0, last), FLAT, 10_000) is None
    assert level(10_000) == pytest.approx(level(1) / 10_000)


def test_clumps_widen_what_is_usual() -> None:
    """The same rate, once by ones and once by tens."""
    chance = random.Random(3)  # noqa: S311
    even = past(2.0, 25)
    clumped = [25, *(10 * poisson(chance, 0.2) for _ in range(HOURS))]
    assert spread(clumped, FLAT)[0] > 3 * spread(even, FLAT)[0]
    assert judge(even, FLAT, 10) is not None
    assert judge(clumped, FLAT, 10) is None


def test_a_busy_hour_may_have_more() -> None:
    """Returns that come every day at the same hour are expected then, and a spike at any other."""
    by_hour = [0] * 24
    by_hour[12] = 24 * 30
    hours = [30 if hour % 24 == 0 else 0 for hour in range(HOURS + 1)]
    assert judge(hours, rhythm(by_hour, NOON + HOUR_MS), 10) is None
    night = [0] * 6 + hours[: HOURS - 5]
    night[0] = 30
    assert judge(night, rhythm(by_hour, NOON + 7 * HOUR_MS), 10) is not None


def test_the_rhythm_is_one_on_average_and_between_the_hours_between() -> None:
    by_hour = [10 * hour for hour in range(24)]
    found = rhythm(by_hour, NOON)
    assert len(found) == HOURS + 1
    assert sum(found[:24]) == pytest.approx(24)
    assert found[0] == pytest.approx((110 + 5) / (115 + 5))  # from 11 to 12
    assert rhythm(by_hour, NOON + HOUR_MS // 2)[0] == pytest.approx((found[0] + (120 + 5) / 120) / 2)
    assert rhythm([0] * 24, NOON) == pytest.approx(FLAT)


def test_a_spike_that_was_raised_does_not_hide_the_next_one() -> None:
    hours = past(2.0, 60)
    for hour in range(48, 54):
        hours[hour] = 400
    assert judge(hours, FLAT, 10) is None
    episodes = [Episode(NOON - 53 * HOUR_MS, NOON - 48 * HOUR_MS)]
    assert set_apart(episodes, NOON) == set(range(48, 54))
    assert judge(hours, FLAT, 10, set_apart(episodes, NOON)) is not None


def test_an_episode_goes_on_until_a_day_is_calm_and_is_the_usual_after_a_day() -> None:
    one = Episode(NOON - 40 * HOUR_MS, NOON - 10 * HOUR_MS)
    assert goes_on([one], NOON) == one
    assert goes_on([one], NOON + 14 * HOUR_MS) is None
    assert set_apart([one], NOON) == set(range(16, 41))
    assert set_apart([Episode(NOON, NOON)], NOON) == {0}
    assert set_apart([], NOON) == frozenset()


def test_quarters_of_sites_have_hardly_any_false_alarm_and_big_spikes_are_found() -> None:
    """``make bench ARGS=spikes`` lives many more."""
    lived = [quarter(seed) for seed in (6_600_007, 6_600_034)]
    assert sum(one.alarms for one in lived) <= 2
    clear = [after for one in lived for each, after in one.found if each.rate * each.times >= 100]
    assert len(clear) >= 4
    assert None not in clear
