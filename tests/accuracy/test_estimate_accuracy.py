"""The estimate of dark visits against worlds whose truth is known; ``make bench ARGS=estimate`` runs more of them."""

from __future__ import annotations

import pytest

from tests.accuracy.measure import Accuracy, outcome
from tests.accuracy.worlds import grow, traits

SEEDS = range(4_000_000, 4_000_060)


@pytest.fixture(scope="module")
def found() -> Accuracy:
    return Accuracy([outcome(seed, smallest=2_000.0, largest=8_000.0) for seed in SEEDS])


def test_the_error_is_small(found: Accuracy) -> None:
    assert len(found.answered) >= 20
    assert found.mean_error <= 6.0  # 5 over many worlds; so few leave a point of luck
    assert abs(found.bias) <= 3.0


def test_the_interval_holds_the_truth(found: Accuracy) -> None:
    assert 0.80 <= found.coverage <= 1.0


def test_calling_everything_dark_is_far_worse(found: Accuracy) -> None:
    assert found.plain_error > 5 * found.mean_error


def test_the_worlds_reach_from_little_to_much(found: Accuracy) -> None:
    assert min(one.truth for one in found.worlds) < 15
    assert max(one.truth for one in found.worlds) > 65


def test_a_world_is_its_seed() -> None:
    kind = traits(5, largest=500.0)
    assert grow(5, kind).pages == grow(5, kind).pages
    assert grow(5, kind).pages != grow(6, kind).pages
