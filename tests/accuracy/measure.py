"""The estimate of dark visits over many worlds: its error, and how often the interval contains the truth."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from statistics import median, quantiles
from typing import Final, NamedTuple

from grapevine.analytics.models.dark_evidence.estimate import LEVEL, estimate_dark_visits
from tests.accuracy.worlds import Traits, grow, traits

PRIOR: Final = (100 * (1 - LEVEL) / 2, 50.0, 100 * (1 + LEVEL) / 2)
"""The interval and the value of the prior alone: the dark part is uniform from 0 to 1."""


class Outcome(NamedTuple):
    """One world's truth and estimate, in hundredths of its deep direct visits; ``reason`` where there is none.

    ``pages`` says of each page with an estimate whether its interval contains its truth.
    """

    visits_a_day: float
    truth: float
    value: float
    low: float
    high: float
    reason: str | None
    pages: list[bool]

    @property
    def answered(self) -> bool:
        """Whether there was enough data."""
        return self.reason is None


def outcome(
    seed: int,
    smallest: float = 200.0,
    largest: float = 20_000.0,
    changed: Callable[[int, Traits], Traits] = lambda _seed, kind: kind,
) -> Outcome:
    """Simulates the world of a seed, ``changed`` in its kind, and estimates its dark visits."""
    world = grow(seed, changed(seed, traits(seed, smallest, largest)))
    found, scale = estimate_dark_visits(world.pages, world.before), 100 / max(world.deep, 1)
    visits, truth = world.traits.visits_a_day, 100 * world.truth
    if found.total is None:
        return Outcome(visits, truth, 0.0, 0.0, 0.0, found.reason, [])
    each = [
        one.low - 0.5 <= dark <= one.high + 0.5
        for one, dark in zip(found.pages, world.dark, strict=True)
        if one is not None
    ]
    total = found.total
    return Outcome(visits, truth, total.value * scale, total.low * scale, total.high * scale, None, each)


class Accuracy:
    """The results of many worlds; errors are in points."""

    def __init__(self, worlds: Sequence[Outcome]) -> None:
        self.worlds = worlds
        self.answered = [one for one in worlds if one.answered]

    @property
    def given(self) -> float:
        """The part of worlds with an estimate."""
        return len(self.answered) / max(len(self.worlds), 1)

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
        return _covered(self.answered)

    @property
    def coverage_by_quartile(self) -> list[float]:
        """The same by quartile of the truth, the lowest first."""
        if len(self.answered) < 4:
            return [self.coverage]
        bounds = quantiles((one.truth for one in self.answered), n=4)
        parts: list[list[Outcome]] = [[] for _ in range(4)]
        for one in self.answered:
            parts[sum(one.truth > bound for bound in bounds)].append(one)
        return [_covered(part) for part in parts]

    @property
    def page_coverage(self) -> float:
        """The part of pages whose truth lies in their interval."""
        return _mean(held for one in self.answered for held in one.pages)

    @property
    def plain_error(self) -> float:
        """The mean absolute error of "all deep direct is dark" in the same worlds."""
        return _mean(100 - one.truth for one in self.answered)

    @property
    def width(self) -> float:
        """The median width of the intervals."""
        return median(one.high - one.low for one in self.answered) if self.answered else 0.0

    @property
    def score(self) -> float:
        """The mean interval score, the lower the better (Gneiting and Raftery 2007, 6.2)."""
        return _mean(interval_score(one.truth, one.low, one.high) for one in self.answered)

    @property
    def prior_score(self) -> float:
        """That of the prior alone in the same worlds."""
        return _mean(interval_score(one.truth, PRIOR[0], PRIOR[2]) for one in self.answered)


def interval_score(truth: float, low: float, high: float) -> float:
    """The width of an interval, and a fine for a truth outside of it."""
    return high - low + 2 / (1 - LEVEL) * (max(low - truth, 0.0) + max(truth - high, 0.0))


def _covered(worlds: Sequence[Outcome]) -> float:
    return _mean(one.low <= one.truth <= one.high for one in worlds)


def _mean(values: Iterable[float]) -> float:
    listed = list(values)
    return sum(listed) / max(len(listed), 1)
