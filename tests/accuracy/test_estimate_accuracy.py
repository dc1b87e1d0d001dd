"""The estimate of dark visits against worlds whose truth is known; ``make bench ARGS=estimate`` runs more of them."""

from __future__ import annotations

import pytest

from tests.accuracy.measure import Accuracy, outcome
from tests.accuracy.worlds import grow, traits
from tests.accuracy.wrong_worlds import WRONG

SEEDS = range(4_000_000, 4_000_060)


@pytest.fixture(scope="module")
def found() -> Accuracy:
    return Accuracy([outcome(seed, smallest=300.0, largest=3_000.0) for seed in SEEDS])


def test_most_sites_get_an_estimate(found: Accuracy) -> None:
    assert found.given >= 0.7


def test_the_error_is_small(found: Accuracy) -> None:
    assert found.mean_error <= 8.0  # 6 over many worlds; so few leave two points of luck
    assert abs(found.bias) <= 4.0


def test_the_interval_holds_the_truth(found: Accuracy) -> None:
    assert 0.78 <= found.coverage <= 0.99  # 0.9 less three standard errors of fifty worlds
    assert found.page_coverage >= 0.8


def test_it_says_more_than_the_prior(found: Accuracy) -> None:
    assert found.width <= 30
    assert 2 * found.score < found.prior_score


def test_calling_everything_dark_is_far_worse(found: Accuracy) -> None:
    assert found.plain_error > 5 * found.mean_error


def test_the_worlds_reach_from_little_to_much(found: Accuracy) -> None:
    assert min(one.truth for one in found.worlds) < 15
    assert max(one.truth for one in found.worlds) > 65


@pytest.mark.parametrize("name", WRONG)
def test_wrong_worlds_are_still_covered(name: str) -> None:
    wrong = Accuracy([outcome(seed, 300.0, 1_000.0, WRONG[name]) for seed in range(4_100_000, 4_100_020)])
    assert wrong.coverage >= 0.6  # 0.75 over many worlds; so few leave some luck


def test_a_world_is_its_seed() -> None:
    kind = traits(5, largest=500.0)
    assert grow(5, kind).pages == grow(5, kind).pages
    assert grow(5, kind).pages != grow(6, kind).pages


def test_the_days_before_are_measured_apart() -> None:
    kind = next(kind for seed in range(100) if (kind := traits(seed, largest=500.0)).history == 30)
    world = grow(5, kind)
    assert {len(page.deep) for page in world.pages} == {kind.days}
    assert {len(page.deep) for page in world.before} == {30}
    assert sum(world.dark) < world.deep
