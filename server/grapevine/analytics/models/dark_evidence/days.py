"""How a page's deep direct visits move with its private returns from day to day, beyond what its traffic explains."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import median
from typing import Final

import msgspec

from grapevine.analytics.models.dark_evidence.inputs import GROUPS, PageSeries

FEWEST_DAYS: Final = 6
"""Fewer days have no movement that traffic (three columns) leaves unexplained."""

_BLOCK: Final = 3  # days whose deviations may hang together
_CLIP: Final = 2.0
_TINY: Final = 1e-9


class Movement(msgspec.Struct, frozen=True):
    """The sums of one page over its days, each weighted by one over the deep visits expected.

    ``cross`` is returns with deep visits, both without the part that follows general traffic; ``signal`` returns with
    other groups' returns, so that luck has no part in it; ``spread`` returns with themselves; ``weight`` that of a day
    on average; ``blocks`` the (cross, signal) of each block of days.
    """

    cross: float
    signal: float
    spread: float
    weight: float
    blocks: list[tuple[float, float]]


STILL: Final = Movement(0.0, 0.0, 0.0, 0.0, [])
"""A page that says nothing by its days."""


class Scatter(msgspec.Struct, frozen=True):
    """Variances of a site's summed ``cross`` and ``signal``, and their covariance, from the blocks of its pages."""

    cross: float
    both: float
    signal: float

    def of_score(self, ratio: float) -> float:
        """The variance of cross − ratio · signal."""
        return max(self.cross - 2 * ratio * self.both + ratio * ratio * self.signal, _TINY)


def movements(pages: Sequence[PageSeries]) -> list[Movement]:
    """Returns each page's movement."""
    if not pages or len(pages[0].deep) < FEWEST_DAYS:
        return [STILL] * len(pages)
    rhythm = _rhythm(pages)
    return [_movement(page, rhythm) for page in pages]


def luck(found: Sequence[Movement], returns: Sequence[int]) -> float:
    """The variance of returns over their mean where nothing but luck is at work: more than one, since one share brings
    several."""
    lucky = sum(one.spread - one.signal for one in found)
    expected = sum(one.weight * number for one, number in zip(found, returns, strict=True))
    return max(lucky / expected, 1.0) if expected > 0 else UNKNOWN_LUCK


UNKNOWN_LUCK: Final = 4.0
"""The luck of a site that has too few days to show its own: that of the worlds of ``tests/accuracy`` in the median."""


def scatter(found: Sequence[Movement], correction: float) -> Scatter:
    """Returns the variances of the sums over ``found``: of each page's blocks around their own mean, which a wave has
    moved, multiplied by ``correction``."""
    cross = both = signal = 0.0
    for one in found:
        count = len(one.blocks)
        if count < 2:  # a mean of one says nothing about a spread
            continue
        mean_cross = sum(own for own, _ in one.blocks) / count
        mean_signal = sum(own for _, own in one.blocks) / count
        scale = correction * count / (count - 1)
        cross += scale * sum((own - mean_cross) ** 2 for own, _ in one.blocks)
        both += scale * sum((own - mean_cross) * (other - mean_signal) for own, other in one.blocks)
        signal += scale * sum((other - mean_signal) ** 2 for _, other in one.blocks)
    return Scatter(cross, both, signal)


def _rhythm(pages: Sequence[PageSeries]) -> list[float]:
    """The site's ordinary traffic by day: a page's spike counts only up to twice the page's own median."""
    total = [0.0] * len(pages[0].deep)
    for page in pages:
        most = _CLIP * median(page.general)
        for day, visits in enumerate(page.general):
            total[day] += min(visits, most)
    return total


def _movement(page: PageSeries, rhythm: Sequence[float]) -> Movement:
    deep, days = sum(page.deep), len(rhythm)
    if not deep or not sum(map(sum, page.returns)):
        return STILL
    roots = _root_weights(page.deep)
    basis = _orthonormal([_times(roots, column) for column in ([1.0] * days, page.general, rhythm)])
    left = _without(basis, _times(roots, page.deep))
    groups = [_without(basis, _times(roots, [day[group] for day in page.returns])) for group in range(GROUPS)]
    whole = [sum(parts) for parts in zip(*groups, strict=True)]
    # Pairs of different groups stand for all pairs; a group with itself would include luck, too.
    pairs = [
        (w * w - sum(part * part for part in parts)) * GROUPS / (GROUPS - 1)
        for w, *parts in zip(whole, *groups, strict=True)
    ]
    crosses = [w * d for w, d in zip(whole, left, strict=True)]
    blocks = [
        (sum(crosses[start : start + _BLOCK]), sum(pairs[start : start + _BLOCK])) for start in range(0, days, _BLOCK)
    ]
    return Movement(sum(crosses), sum(pairs), sum(w * w for w in whole), days / deep, blocks)


def _root_weights(deep: Sequence[int]) -> list[float]:
    """Roots of one over the expected variance of each day, predicted from its neighbouring days and the page's mean."""
    days, mean = len(deep), sum(deep) / len(deep)
    padded = [deep[1], *deep, deep[-2]]
    neighbours = [(padded[day] + padded[day + 2]) / 2 for day in range(days)]
    return [1 / math.sqrt(0.5 * mean + 0.5 * value) for value in neighbours]


def _times(roots: Sequence[float], values: Sequence[float]) -> list[float]:
    return [root * value for root, value in zip(roots, values, strict=True)]


def _orthonormal(columns: Sequence[Sequence[float]]) -> list[list[float]]:
    """Gram–Schmidt; columns that add nothing are left out."""
    basis: list[list[float]] = []
    for column in columns:
        rest = _without(basis, column)
        length = math.sqrt(sum(value * value for value in rest))
        if length > 1e-6 * (1 + math.sqrt(sum(value * value for value in column))):
            basis.append([value / length for value in rest])
    return basis


def _without(basis: Sequence[Sequence[float]], column: Sequence[float]) -> list[float]:
    """Returns the column's residuals, the part that the basis does not explain."""
    rest = [float(value) for value in column]
    for one in basis:
        along = sum(a * b for a, b in zip(one, rest, strict=True))
        rest = [value - along * a for value, a in zip(rest, one, strict=True)]
    return rest
