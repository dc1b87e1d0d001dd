"""How many deep direct visits stem from private shares: the estimate of ``docs/estimate.md``, plain arithmetic.

Knows neither stores nor the web. The same numbers give the same answer: nothing here is drawn by chance.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import NormalDist, median
from typing import Final, Literal

import msgspec

METHOD: Final = "covariation-1"
NoEstimate = Literal["too-few-days", "too-few-deep-visits", "too-few-returns", "returns-do-not-move", "too-uncertain"]
"""Why there is no estimate."""
LEVEL: Final = 0.9
GROUPS: Final = 4
"""Into how many groups returns are dealt by the visit that shared, to tell a wave of sharing from one lucky share."""

FEWEST_DAYS: Final = 14
FEWEST_RETURNS: Final = 50
FEWEST_DEEP: Final = 50
SUREST: Final = 2.5
"""Returns must move with each other by so many of their standard errors: else there are no waves to go by."""
WIDEST: Final = 0.3
"""An interval wider than this part of the deep direct visits says too little to be shown."""

_BLOCK: Final = 3  # days whose deviations may hang together
_ROUNDS: Final = 8
_CORRECTION: Final = 1.3  # for values fitted to the same days; found in worlds whose truth is known
_CLIP: Final = 2.0
_LEAST_SIGNAL: Final = 0.3
_TINY: Final = 1e-9


class PageSeries(msgspec.Struct, frozen=True):
    """One page, a number for each day of the period in order.

    ``deep`` are untagged deep direct visits, ``general`` all other visits that are no returns, ``returns`` the private
    returns as GROUPS numbers a day: all returns of one visit's shares stand in one group.
    """

    deep: Sequence[int]
    general: Sequence[int]
    returns: Sequence[Sequence[int]]


class Interval(msgspec.Struct, frozen=True):
    """A number of visits and the ends of its interval at ``LEVEL``."""

    value: float
    low: float
    high: float


class Estimated(msgspec.Struct, frozen=True):
    """The dark visits of all pages together and of each page, in their order; or the ``reason`` why none is given.

    ``ratio`` is how many dark visits come with one private return.
    """

    total: Interval | None
    pages: list[Interval | None]
    ratio: float | None
    reason: NoEstimate | None


class _Fit(msgspec.Struct):
    """The sums of one page over its days, each weighted by one over the deep visits expected."""

    deep: int
    returns: int
    cross: float  # returns with deep visits, both without the part that follows the page's general traffic
    signal: float  # returns with other groups' returns: their noise has no part in it
    spread: float  # returns with themselves
    weight: float  # of a day on average
    blocks: list[tuple[float, float]]  # (cross, signal) of each block of days


def estimate_dark_visits(pages: Sequence[PageSeries]) -> Estimated:
    """The estimate over ``pages``, all of the same days. Raises ValueError when their lengths differ."""
    days = len(pages[0].deep) if pages else 0
    for page in pages:
        if not len(page.deep) == len(page.general) == len(page.returns) == days:
            raise ValueError("every page needs a number for each day")
    deep = sum(sum(page.deep) for page in pages)
    returns = sum(sum(map(sum, page.returns)) for page in pages)
    if days < FEWEST_DAYS:
        return _nothing(pages, "too-few-days")
    if deep < FEWEST_DEEP:
        return _nothing(pages, "too-few-deep-visits")
    if returns < FEWEST_RETURNS:
        return _nothing(pages, "too-few-returns")
    rhythm = _rhythm(pages, days)
    fits = [_fit(page, rhythm) for page in pages]
    return _pooled(fits, deep, returns)


def _nothing(pages: Sequence[PageSeries], reason: NoEstimate) -> Estimated:
    return Estimated(None, [None] * len(pages), None, reason)


def _rhythm(pages: Sequence[PageSeries], days: int) -> list[float]:
    """The site's ordinary traffic by day: a page's spike counts only up to twice the page's own median."""
    total = [0.0] * days
    for page in pages:
        most = _CLIP * median(page.general)
        for day, visits in enumerate(page.general):
            total[day] += min(visits, most)
    return total


def _fit(page: PageSeries, rhythm: Sequence[float]) -> _Fit:
    deep, days = sum(page.deep), len(rhythm)
    returns = sum(map(sum, page.returns))
    if not deep or not returns:
        return _Fit(deep, returns, 0.0, 0.0, 0.0, 0.0, [])
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
    return _Fit(deep, returns, sum(crosses), sum(pairs), sum(w * w for w in whole), days / deep, blocks)


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


class _Pool(msgspec.Struct):
    """Facts shared by all pages: dark visits a return, how far pages differ in it, and the weight of each page."""

    ratio: float
    apart: float  # variance of the pages' own ratios around the common one
    weights: list[float]  # of each page in the common ratio
    own: list[float]  # how far a page's own ratio is believed
    steady: list[float]  # each page's signal, kept away from nothing
    ratios: list[float]  # of each page, drawn towards the common one


def _pooled(fits: list[_Fit], deep: int, returns: int) -> Estimated:
    signal = sum(fit.signal for fit in fits)
    doubt = math.sqrt(sum(_variance([own for _, own in fit.blocks]) for fit in fits))
    if signal <= max(SUREST * doubt, _TINY * returns):  # constant columns leave nothing but rounding
        return Estimated(None, [None] * len(fits), None, "returns-do-not-move")
    pool = _pool(fits)
    luck = _luck(fits)
    value = sum(ratio * fit.returns for ratio, fit in zip(pool.ratios, fits, strict=True))
    variance, freedom = _doubt_of_total(fits, pool)
    variance += _chance(luck, returns, pool.ratio)
    half = _quantile(freedom) * math.sqrt(variance)
    total = _interval(value, half, deep)
    if total.high - total.low > WIDEST * deep:
        return Estimated(None, [None] * len(fits), pool.ratio, "too-uncertain")
    return Estimated(total, _each(fits, pool, luck, _quantile(freedom)), pool.ratio, None)


def _pool(fits: list[_Fit]) -> _Pool:
    """The common ratio and each page's own, by moments as in a meta-analysis (DerSimonian and Laird 1986)."""
    signal, spread = sum(fit.signal for fit in fits), sum(fit.spread for fit in fits)
    ratio, apart = max(sum(fit.cross for fit in fits) / signal, 0.0), 0.0
    weights, ratios = [1.0] * len(fits), [ratio] * len(fits)
    steady = [max(fit.signal, _LEAST_SIGNAL * fit.spread, _TINY) for fit in fits]
    for _ in range(_ROUNDS):
        # Halfway to each page's own ratio: around the common one, what sets pages apart would pass for noise; around
        # its own, a page's noise would pass for what sets it apart.
        variance = sum(_variance(_scores(fit, (ratio + own) / 2)) for fit, own in zip(fits, ratios, strict=True))
        scores = sum((fit.cross - ratio * fit.signal) ** 2 for fit in fits)
        apart = min(max(scores - variance, 0.0) / sum(fit.signal**2 for fit in fits), ratio * ratio)
        noise = max(variance / spread, _TINY)
        weights = [noise / (noise + apart * fit.spread) for fit in fits]
        common = sum(weight * fit.signal for weight, fit in zip(weights, fits, strict=True))
        if common <= 0:
            break
        ratio = max(sum(weight * fit.cross for weight, fit in zip(weights, fits, strict=True)) / common, 0.0)
        ratios = [
            max(ratio + (1 - weight) * (fit.cross - ratio * fit.signal) / least, 0.0)
            for weight, least, fit in zip(weights, steady, fits, strict=True)
        ]
    own = [1 - weight for weight in weights]
    return _Pool(ratio, apart, weights, own, steady, ratios)


def _doubt_of_total(fits: list[_Fit], pool: _Pool) -> tuple[float, float]:
    """The variance of the total from blocks of days and from pages' differences, and its degrees of freedom
    (Satterthwaite 1946)."""
    common = max(sum(weight * fit.signal for weight, fit in zip(pool.weights, fits, strict=True)), _TINY)
    through = sum(
        fit.returns * (1 - part * fit.signal / least)
        for fit, part, least in zip(fits, pool.own, pool.steady, strict=True)
    )
    through /= common
    parts: list[float] = []
    for fit, weight, own, least, ratio in zip(fits, pool.weights, pool.own, pool.steady, pool.ratios, strict=True):
        pull = through * weight + own * fit.returns / least
        parts += [_CORRECTION * (pull * score) ** 2 for score in _scores(fit, ratio)]
        parts.append(pool.apart * (pull * fit.signal - fit.returns) ** 2)
    variance = sum(parts)
    return variance, variance * variance / max(sum(part * part for part in parts), _TINY)


def _each(fits: list[_Fit], pool: _Pool, luck: float, quantile: float) -> list[Interval | None]:
    """Each page's dark visits; none for a page without private returns, where no estimate is possible."""
    common = max(sum(weight * fit.signal for weight, fit in zip(pool.weights, fits, strict=True)), _TINY)
    shared = sum(
        weight**2 * _variance(_scores(fit, ratio))
        for weight, fit, ratio in zip(pool.weights, fits, pool.ratios, strict=True)
    )
    shared /= common**2
    found: list[Interval | None] = []
    for fit, own, least, ratio in zip(fits, pool.own, pool.steady, pool.ratios, strict=True):
        if not fit.returns or not fit.deep:
            found.append(None)
            continue
        variance = (1 - own * fit.signal / least) ** 2 * (shared + pool.apart)
        variance += (own / least) ** 2 * _variance(_scores(fit, ratio))
        variance = fit.returns**2 * variance + _chance(luck, fit.returns, ratio)
        found.append(_interval(ratio * fit.returns, quantile * math.sqrt(variance), fit.deep))
    return found


def _luck(fits: list[_Fit]) -> float:
    """The variance of returns over their mean where nothing but luck is at work: more than one, since one share
    brings several."""
    lucky = sum(fit.spread - fit.signal for fit in fits)
    return max(lucky / max(sum(fit.returns * fit.weight for fit in fits), _TINY), 1.0)


def _chance(luck: float, returns: int, ratio: float) -> float:
    """The variance of the counts around their expectation, on both sides of the ratio."""
    return luck * returns * ratio * (1 + ratio)


def _interval(value: float, half: float, most: int) -> Interval:
    return Interval(min(value, most), min(max(value - half, 0.0), most), min(value + half, most))


def _scores(fit: _Fit, ratio: float) -> list[float]:
    return [cross - ratio * signal for cross, signal in fit.blocks]


def _variance(values: Sequence[float]) -> float:
    """Of the sum of independent values whose mean is nothing."""
    return _CORRECTION * sum(value * value for value in values)


def _quantile(freedom: float) -> float:
    """Student's t at the upper end of ``LEVEL`` (Abramowitz and Stegun 1964, 26.7.5)."""
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    n = max(freedom, 3.0)
    return z + (z**3 + z) / (4 * n) + (5 * z**5 + 16 * z**3 + 3 * z) / (96 * n * n)
