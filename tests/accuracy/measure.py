"""The estimate of dark visits over many worlds: its error, and how often the interval contains the truth."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from grapevine.analytics.models.dark_social import estimate_dark_visits
from tests.accuracy.worlds import grow, traits


class Outcome(NamedTuple):
    """One world's truth and estimate, in hundredths of its deep direct visits; ``reason`` where there is none."""

    visits_a_day: float
    truth: float
    value: float
    low: float
    high: float
    reason: str | None

    @property
    def answered(self) -> bool:
        """Whether there was enough data."""
        return self.reason is None


def outcome(seed: int, smallest: float = 200.0, largest: float = 20_000.0) -> Outcome:
    """Simulates the world of a seed and estimates its dark visits."""
    world = grow(seed, traits(seed, smallest, largest))
    found, scale = estimate_dark_visits(world.pages).total, 100 / max(world.deep, 1)
    visits, truth = world.traits.visits_a_day, 100 * world.truth
    if found is None:
        return Outcome(visits, truth, 0.0, 0.0, 0.0, estimate_dark_visits(world.pages).reason)
    return Outcome(visits, truth, found.value * scale, found.low * scale, found.high * scale, None)


class Accuracy:
    """The results of many worlds; errors are in points."""

    def __init__(self, worlds: Sequence[Outcome]) -> None:
        self.worlds = worlds
        self.answered = [one for one in worlds if one.answered]

    @property
    def mean_error(self) -> float:
        """The mean absolute error."""
        return _mean(abs(one.value - one.truth) for one in self.answered)

    @property
    def bias(self) -> float:
        """The mean error."""
        return _mean(one.value - one.truth for one in self.answered)

    @property
    def coverage(self) -> float:
        """The part of estimated worlds whose truth lies in the interval."""
        return _mean(one.low <= one.truth <= one.high for one in self.answered)

    @property
    def plain_error(self) -> float:
        """The mean absolute error of "all deep direct is dark" in the same worlds."""
        return _mean(100 - one.truth for one in self.answered)

    @property
    def width(self) -> float:
        """The mean width of the intervals."""
        return _mean(one.high - one.low for one in self.answered)


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / max(len(listed), 1)
