"""Precision, recall and differences of numbers."""

from __future__ import annotations

from grapevine.simulate.report import NumberComparison, SetComparison


def test_precision_and_recall() -> None:
    assert SetComparison.of({1, 2, 3, 4}, {1, 2, 5}) == SetComparison(4, 3, 2, 2 / 3, 0.5)
    assert not SetComparison.of({1, 2}, {1}).good
    assert not SetComparison.of({1}, {1, 2}).good
    assert SetComparison.of(set(range(2_000)), set(range(1, 2_000))).good
    nothing: SetComparison = SetComparison.of(set(), set())
    assert (nothing.precision, nothing.recall, nothing.good) == (None, None, True)
    assert NumberComparison.of(3, 2) == NumberComparison(3, 2, -1)
    assert NumberComparison.of(None, None).good
    assert not NumberComparison.of(None, 0).good
