"""What the pages of a site say about its dark part: the likelihood of each pair of grid values.

A page with D deep direct visits, of which x are dark:

    D − x  bookmarks   log-normal around a · usual, spread √(s² + 1 / mean)
    x      dark        negative binomial around b[p] · shared, variance luck · mean + mean² (spread² + 1 / sure)
    cross − b · signal normal around 0, variance from the blocks of days

The sum over x of the product of the first two is the page's likelihood; its terms, weighted by the grid's posterior,
are the distribution of the page's dark visits.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from operator import mul
from statistics import NormalDist
from typing import Final

import msgspec

from grapevine.analytics.models.dark_evidence.days import Scatter, scatter
from grapevine.analytics.models.dark_evidence.pages import PageEvidence, SiteEvidence
from grapevine.analytics.models.dark_evidence.prior import (
    LEFT,
    LEFT_GRID,
    LEFT_LOG_WEIGHTS,
    LEFT_SPREADS,
    RATIO_GRID,
    RATIO_LOG_WEIGHTS,
)

SCORE_CORRECTION: Final = 0.8
"""On the variance of the scores of days: blocks overlap in what they say; found in the worlds of ``tests/accuracy``."""
TEMPER: Final = 0.8
"""The power of the likelihood, since the model is simpler than any site (Grünwald and van Ommen 2017, "Inconsistency of
Bayesian inference for misspecified linear models, and a proposal for repairing it"). Found in the worlds of
``tests/accuracy``."""
HISTORY_POWER: Final = 0.5
"""How much of what the days before the period say is believed of it (power prior; Ibrahim and Chen 2000)."""

_SMALLEST_WEIGHT: Final = 1e-4
_TINY: Final = 1e-9
_NEVER: Final = 1e-300
_FINE: Final = 12  # dark visits up to which each number is its own cell
_UP: Final = 1.22  # growth of the cells from nothing upwards
_DOWN: Final = 1.3  # and from everything downwards
_NORMAL: Final = NormalDist()


class Cells(msgspec.Struct, frozen=True):
    """Numbers of dark visits that stand for stretches between ``ends``; narrow at none and at all."""

    middles: list[float]
    ends: list[float]


class Believed(msgspec.Struct, frozen=True):
    """A combination of grid values with its posterior ``weight``, and the dark visits of all pages under it."""

    weight: float
    mean: float
    variance: float


class Posterior(msgspec.Struct, frozen=True):
    """The combinations that matter; and each page's cells with the probability of each."""

    believed: list[Believed]
    pages: list[tuple[Cells, list[float]]]


class _Terms(msgspec.Struct, frozen=True):
    """The likelihoods of one page: of its bookmarks by LEFT_GRID, of its dark visits by RATIO_GRID, in each cell."""

    cells: Cells
    left: list[list[float]]
    dark: list[list[float]]


def posterior(site: SiteEvidence, before: SiteEvidence | None) -> Posterior:
    """Returns what is believed of ``site`` after its pages, and after what they were like ``before``."""
    terms, logs = _likelihood(site)
    learned = _learned(before) if before is not None else None
    spreads = len(LEFT_SPREADS)
    weighed = []
    for row, (line, left) in enumerate(zip(logs, LEFT_LOG_WEIGHTS, strict=True)):
        past = learned[row % spreads] if learned else [0.0] * len(line)
        weighed.append(
            [TEMPER * own + left + prior + old for own, prior, old in zip(line, RATIO_LOG_WEIGHTS, past, strict=True)]
        )
    most = max(map(max, weighed))
    kept = [
        (row, column, weight)
        for row, line in enumerate(weighed)
        for column, value in enumerate(line)
        if (weight := math.exp(value - most)) > _SMALLEST_WEIGHT
    ]
    total = sum(weight for _, _, weight in kept)
    means, variances = [0.0] * len(kept), [0.0] * len(kept)
    pages = []
    for page in terms:
        middles = page.cells.middles
        squares = list(map(mul, middles, middles))
        chances = [0.0] * len(middles)
        for index, (row, column, weight) in enumerate(kept):
            joint = list(map(mul, page.left[row], page.dark[column]))
            whole = sum(joint) + _NEVER
            mean = sum(map(mul, joint, middles)) / whole
            means[index] += mean
            variances[index] += max(sum(map(mul, joint, squares)) / whole - mean * mean, 0.0)
            scale = weight / total / whole
            chances = [old + scale * value for old, value in zip(chances, joint, strict=True)]
        pages.append((page.cells, chances))
    return Posterior(
        [Believed(weight / total, mean, var) for (_, _, weight), mean, var in zip(kept, means, variances, strict=True)],
        pages,
    )


def quantile(believed: Sequence[Believed], part: float, most: float) -> float:
    """Returns the number of dark visits below which ``part`` of the posterior, a mixture of normals, lies."""
    shapes = [(one.weight, one.mean, math.sqrt(one.variance + _TINY) * math.sqrt(2)) for one in believed]
    low, high = 0.0, most
    for _ in range(40):
        middle = (low + high) / 2
        below = sum(weight * (1 + math.erf((middle - mean) / wide)) for weight, mean, wide in shapes) / 2
        low, high = (middle, high) if below < part else (low, middle)
    return (low + high) / 2


def page_quantile(cells: Cells, chances: Sequence[float], part: float) -> float:
    """Returns the number of a page's dark visits below which ``part`` of the posterior lies."""
    left = part * sum(chances)
    for (start, end), chance in zip(pairwise(cells.ends), chances, strict=True):
        if chance >= left:
            return start + (end - start) * (left / chance if chance else 0.0)
        left -= chance
    return cells.ends[-1]


def _learned(before: SiteEvidence) -> list[list[float]] | None:
    """What the days before say about the spread of bookmarks and about RATIO_GRID, whatever the share was then."""
    if not before.deep or not before.returns:
        return None
    _, logs = _likelihood(before)
    found = []
    for spread in range(len(LEFT_SPREADS)):
        rows = [
            [TEMPER * value + LEFT_LOG_WEIGHTS[row] for value in logs[row]]
            for row in range(spread, len(LEFT) * len(LEFT_SPREADS), len(LEFT_SPREADS))
        ]
        most = [max(column) for column in zip(*rows, strict=True)]
        sums = [
            sum(math.exp(value - top) for value in column)
            for column, top in zip(zip(*rows, strict=True), most, strict=True)
        ]
        found.append([HISTORY_POWER * (top + math.log(summed)) for top, summed in zip(most, sums, strict=True)])
    return found


def _likelihood(site: SiteEvidence) -> tuple[list[_Terms], list[list[float]]]:
    """The terms of each page, and the logarithm of the likelihood of all by LEFT_GRID and RATIO_GRID."""
    noise = scatter([page.movement for page in site.pages], SCORE_CORRECTION)
    spread = sum(page.movement.spread for page in site.pages)
    by_days = _by_days(site, noise)
    scale = site.deep / site.usual
    logs = [list(by_days) for _ in LEFT_GRID]
    terms = []
    for page in site.pages:
        cells = cells_of(page.deep)
        left = _bookmarks(page, cells, scale)
        dark = _dark(page, cells, site.luck, [noise.of_score(b) / max(spread, _TINY) for b, _ in RATIO_GRID])
        terms.append(_Terms(cells, left, dark))
        for line, own in zip(logs, left, strict=True):
            for column, other in enumerate(dark):
                line[column] += math.log(sum(map(mul, own, other)) + _NEVER)
    return terms, logs


def _by_days(site: SiteEvidence, noise: Scatter) -> list[float]:
    """What the movement of all pages together says about the ratio, by RATIO_GRID.

    Cross and signal are normal around b · true and true, where the true signal is anything from nothing to all of the
    spread: it is integrated out, since a regression on a noisy signal would make the ratio too small (Fuller 1987,
    Measurement Error Models).
    """
    moved = [page.movement for page in site.pages]
    most = sum(one.spread for one in moved)
    if most <= _TINY or noise.signal <= _TINY:
        return [0.0] * len(RATIO_GRID)
    cross, signal = sum(one.cross for one in moved), sum(one.signal for one in moved)
    apart = sum(one.signal**2 for one in moved)
    root = math.sqrt(max(noise.cross * noise.signal - noise.both**2, _TINY))
    found = []
    for ratio, spread in RATIO_GRID:
        certain = noise.of_score(ratio)
        variance = certain + (spread * ratio) ** 2 * apart
        true = ratio * (noise.signal * cross - noise.both * signal) + noise.cross * signal - noise.both * cross
        true /= certain
        doubt = root / math.sqrt(certain)
        inside = _NORMAL.cdf(true / doubt) - _NORMAL.cdf((true - most) / doubt)
        score = cross - ratio * signal
        found.append(-0.5 * score * score / variance - 0.5 * math.log(variance) + math.log(max(inside, _NEVER)))
    return found


def _bookmarks(page: PageEvidence, cells: Cells, scale: float) -> list[list[float]]:
    """The likelihood of a page's bookmarks, by LEFT_GRID, in each cell and multiplied by its width."""
    logs = [math.log(page.deep - x + 0.5) for x in cells.middles]
    bases = [
        (end - start) / (page.deep - x + 0.5)
        for x, (start, end) in zip(cells.middles, pairwise(cells.ends), strict=True)
    ]
    found = []
    for left, spread in LEFT_GRID:
        mean = left * scale * page.usual + 0.5
        variance, middle = spread * spread + 1 / mean, math.log(mean)
        factor, half = 1 / math.sqrt(variance), -0.5 / variance
        found.append(
            [base * factor * math.exp(half * (log - middle) ** 2) for base, log in zip(bases, logs, strict=True)]
        )
    return found


def _dark(page: PageEvidence, cells: Cells, luck: float, noise: Sequence[float]) -> list[list[float]]:
    """The likelihood of a page's dark visits, by RATIO_GRID, in each cell; ``noise`` is the variance of a page's score
    for each unit of its spread, by RATIO_GRID, too. The page's own ratio is drawn from the site's by its days."""
    moved, own = page.movement, [math.lgamma(x + 1) for x in cells.middles]
    found = []
    for (ratio, spread), each in zip(RATIO_GRID, noise, strict=True):
        believed, left = ratio, spread * spread
        if moved.signal > 0 and moved.spread > _TINY:
            known = left * ratio * ratio * moved.signal**2
            pull = known / (known + each * moved.spread)
            believed = max(ratio + pull * (moved.cross / moved.signal - ratio), 0.05 * ratio)
            left *= 1 - pull
        mean = believed * page.shared
        size = mean * mean / max((luck - 1) * mean + mean * mean * (left + 1 / page.sure), _TINY)
        start = size * math.log(size / (size + mean)) - math.lgamma(size)
        rise = math.log(mean / (size + mean))
        found.append(
            [
                math.exp(start + math.lgamma(x + size) - factorial + x * rise)
                for x, factorial in zip(cells.middles, own, strict=True)
            ]
        )
    return found


def cells_of(deep: int) -> Cells:
    """Returns the cells of a page with so many deep direct visits."""
    if deep <= _FINE:
        middles = [float(x) for x in range(deep + 1)]
    else:
        up, down = [*range(6)], [0, 1, 2, 4, 6]
        while up[-1] * _UP < deep / 2:
            up.append(max(up[-1] + 1, round(up[-1] * _UP)))
        while down[-1] * _DOWN < deep / 2:
            down.append(max(down[-1] + 1, round(down[-1] * _DOWN)))
        middles = [float(x) for x in sorted({*up, *(deep - x for x in down)})]
    ends = [-0.5, *((a + b) / 2 for a, b in pairwise(middles)), deep + 0.5]
    return Cells(middles, ends)
