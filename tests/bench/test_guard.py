"""The interval of the cost guard: for all possible samples, and in edge cases."""

from __future__ import annotations

import itertools
import os

import pytest

from tests.bench.guard import Interval, interval, processor_seconds


def test_the_interval_of_twenty_pairs_lies_inside_their_range() -> None:
    assert interval([float(number) for number in range(1, 21)]) == Interval(6.0, 10.5, 15.0)


def test_as_many_samples_hold_the_median_as_the_level_says() -> None:
    """Of all equally likely ways in which 8 values fall below or above the median 0, nine in ten contain it."""
    held = [
        found.low <= 0 <= found.high
        for signs in itertools.product((-1.0, 1.0), repeat=8)
        for found in [interval([sign * (index + 1) for index, sign in enumerate(signs)])]
    ]
    assert sum(held) / len(held) >= 0.9


def test_too_few_pairs_are_refused() -> None:
    with pytest.raises(ValueError, match="4 pairs are too few"):
        interval([1.0] * 4)


def test_processor_time_grows_with_work() -> None:
    before = processor_seconds(os.getpid())
    sum(range(2_000_000))
    assert processor_seconds(os.getpid()) > before
