"""A histogram as plain numbers."""

from __future__ import annotations

from bisect import bisect_left
from typing import Final

SECONDS: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds for latencies. An answer from memory takes less than the first; the writer gives up before the last."""


class Histogram:
    """Observations by upper bound (inclusive), those above the last one behind it, and their sum."""

    __slots__ = ("bounds", "buckets", "sum")

    def __init__(self, bounds: tuple[float, ...] = SECONDS) -> None:
        self.bounds = bounds
        self.buckets = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float) -> None:
        """Adds an observation."""
        self.buckets[bisect_left(self.bounds, value)] += 1
        self.sum += value

    @property
    def count(self) -> int:
        """How many observations there were."""
        return sum(self.buckets)

    def cells(self) -> list[float]:
        """Returns all numbers as one list: the buckets, then the sum."""
        return [*self.buckets, self.sum]
