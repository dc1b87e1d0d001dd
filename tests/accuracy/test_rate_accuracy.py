"""Intervals of rates against worlds whose rates are known; ``make bench ARGS=rates`` runs more of them."""

from __future__ import annotations

import pytest

from tests.accuracy.rate_worlds import NAMES, RateOutcome, rate_traits, rates_of

SEEDS = range(7_000_000, 7_000_120)
LEAST = 0.87
"""Of intervals at 0.95 with 120 worlds: chance brings as few in one run of 2,000."""


@pytest.fixture(scope="module")
def found() -> list[RateOutcome]:
    return [rates_of(seed, rate_traits(seed, fewest=1_500, most=6_000)) for seed in SEEDS]


@pytest.mark.parametrize("name", NAMES)
def test_the_interval_holds_the_truth(found: list[RateOutcome], name: str) -> None:
    given = [one.holds[name] for one in found if one.holds[name] is not None]
    assert len(given) >= 0.8 * len(found)
    assert sum(map(bool, given)) / len(given) >= LEAST


@pytest.mark.parametrize("name", ["returns_per_share", "k"])
def test_counting_returns_as_independent_would_not_hold(found: list[RateOutcome], name: str) -> None:
    """Poisson's interval of the same values: what clustering is for."""
    misses = given = 0
    for one in found:
        rate = getattr(one.row, name)
        if rate is not None and one.row.returns:
            given += 1
            misses += abs(rate.value - one.truth[name]) > 1.96 * rate.value / one.row.returns**0.5
    assert misses / given > 0.15


def test_a_world_is_its_seed() -> None:
    kind = rate_traits(5, most=2_000)
    assert rates_of(5, kind) == rates_of(5, kind)
    assert rates_of(5, kind) != rates_of(6, kind)
