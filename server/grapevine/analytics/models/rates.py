"""Rates of sharing with an interval, clustered by the visit that shared; times with shares cut off at a period's end:
docs/rates.md has the prose. Knows neither stores nor clocks.

- Ratios of sums (shares per view, returns per share, K): linearised variance over clusters, Woodruff 1971 and Liang
  and Zeger 1986, on the logarithm; Student's t with the effective number of clusters, after Carter, Schnepel and
  Steigerwald 2017. Poisson's variance would be too small: one sharer brings a crowd, and most bring no visit.
- Proportions: Wilson 1927.
- Times: the mean cumulative function of recurrent events under censoring, Nelson 1995, with the variance by cluster of
  Lawless and Nadeau 1995; the interval of a median by inverting a test, as Brookmeyer and Crowley 1982.
"""

from __future__ import annotations

import math
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from statistics import NormalDist
from typing import Final, NamedTuple

LEVEL: Final = 0.95
"""How many intervals of a hundred hold the truth, where the worlds are as assumed."""
FEWEST_CLUSTERS: Final = 5
"""Sharers, or sharers who brought somebody, below whom no interval is given: tests/accuracy shows what comes below."""
AT_RISK: Final = 0.25
"""A time is looked for as far as this part of the shares could be followed; behind that few shares would decide."""
LEAST_FREEDOM: Final = 3.0
"""Degrees of freedom, at least: Student's t with fewer has no variance."""

_NORMAL: Final = NormalDist()


class RateInterval(NamedTuple):
    """A value and its interval."""

    value: float
    low: float
    high: float


class Median(NamedTuple):
    """The time (ms) in which half of what came within ``within`` (ms) has come, and its interval."""

    value: float
    low: float
    high: float
    within: float


class Observed(NamedTuple):
    """One share, or one visit that shared: how long it could be followed, and after what times (ms) returns came.

    ``cluster`` names the visit that shared.
    """

    cluster: int
    followed: float
    delays: Sequence[float]


def wilson_interval(times: int, of: int, level: float = LEVEL) -> RateInterval | None:
    """A proportion of independent trials (Wilson 1927). None without a trial."""
    if not of:
        return None
    z = _NORMAL.inv_cdf((1 + level) / 2)
    part = times / of
    middle = (part + z * z / (2 * of)) / (1 + z * z / of)
    half = z / (1 + z * z / of) * math.sqrt(part * (1 - part) / of + z * z / (4 * of * of))
    return RateInterval(part, max(0.0, min(part, middle - half)), min(1.0, max(part, middle + half)))


def ratio_interval(
    active: Iterable[tuple[float, float]], whole: float, squares: float, clusters: int, level: float = LEVEL
) -> RateInterval | None:
    """A ratio of two sums over clusters: of (numerator, denominator) of the ``active`` ones, whose numerator is above
    0, with ``whole`` the sum of all denominators, ``squares`` that of their squares, and ``clusters`` their number.

    Without an active cluster the upper end is that of no event in so many clusters (Hanley and Lippman-Hand 1983). None
    where there are fewer than ``FEWEST_CLUSTERS`` clusters, or fewer active ones but some.
    """
    pairs = list(active)
    if clusters < FEWEST_CLUSTERS or whole <= 0:
        return None
    if not pairs:
        return RateInterval(0.0, 0.0, -math.log(1 - level) / whole)
    if len(pairs) < FEWEST_CLUSTERS:
        return None
    total = sum(x for x, _ in pairs)
    ratio = total / whole
    spread = sum(x * x - 2 * ratio * x * size for x, size in pairs) + ratio * ratio * squares
    deviation = math.sqrt(max(spread, 0.0) * clusters / (clusters - 1)) / total
    freedom = max(LEAST_FREEDOM, total * total / sum(x * x for x, _ in pairs) - 1)
    reach = math.exp(min(student_quantile((1 + level) / 2, freedom) * deviation, 700.0))
    return RateInterval(ratio, ratio / reach, ratio * reach)


def student_quantile(probability: float, freedom: float) -> float:
    """The quantile of Student's t for a ``probability`` above 1/2 and at least ``LEAST_FREEDOM`` degrees of freedom:
    the expansion around the normal one (Abramowitz and Stegun 1964, 26.7.5), to 1 in 100 for 3 degrees."""
    z = _NORMAL.inv_cdf(probability)
    terms = (
        (z**3 + z) / 4,
        (5 * z**5 + 16 * z**3 + 3 * z) / 96,
        (3 * z**7 + 19 * z**5 + 17 * z**3 - 15 * z) / 384,
        (79 * z**9 + 776 * z**7 + 1482 * z**5 - 1920 * z**3 - 945 * z) / 92160,
    )
    return z + sum(term / freedom ** (power + 1) for power, term in enumerate(terms))


def median_time(observed: Sequence[Observed], level: float = LEVEL) -> Median | None:
    """The time in which half of the returns have come, of those within the time for which a quarter of ``observed``
    could be followed; each return counts for as many as were not followed so long. None where fewer than
    ``FEWEST_CLUSTERS`` clusters brought one.
    """
    followed = sorted(one.followed for one in observed)
    if not followed:
        return None
    within = followed[min(len(followed) - 1, math.ceil(len(followed) * (1 - AT_RISK)))]
    weighted: dict[float, float] = {}
    clusters: dict[int, list[float]] = {}
    for one in observed:
        for delay in one.delays:
            if delay <= within and delay <= one.followed:
                at_risk = len(followed) - bisect_left(followed, delay)
                weighted[delay] = weighted.get(delay, 0.0) + 1 / at_risk
                clusters.setdefault(one.cluster, []).append(delay)
    if len(clusters) < FEWEST_CLUSTERS:
        return None
    times = sorted(weighted)
    sums = list(accumulate(weighted[time] for time in times))
    own = [_OwnSums.of(delays, len(followed), followed) for delays in clusters.values()]
    # Few clusters make the variance itself uncertain, as in `ratio_interval`.
    effective = sums[-1] ** 2 / sum(one.whole**2 for one in own)
    reach = student_quantile((1 + level) / 2, max(LEAST_FREEDOM, effective - 1))

    def deviates(index: int) -> float:
        """How far the part that has come by a time lies from one half, in standard deviations."""
        time, part = times[index], sums[index] / sums[-1]
        spread = sum((one.until(time) - part * one.whole) ** 2 for one in own)
        return (part - 0.5) * sums[-1] / math.sqrt(spread) if spread else math.copysign(math.inf, part - 0.5)

    middle = min(bisect_left(sums, sums[-1] / 2), len(times) - 1)
    low = bisect_right(range(middle), -reach, key=deviates) if middle else 0
    high = bisect_left(range(len(times)), reach, lo=middle, key=deviates)
    return Median(times[middle], times[low], times[min(high, len(times) - 1)], within)


class _OwnSums(NamedTuple):
    """The weights of one cluster's returns, added up in the order of time."""

    times: list[float]
    sums: list[float]

    @classmethod
    def of(cls, delays: Iterable[float], number: int, followed: Sequence[float]) -> _OwnSums:
        """Each return weighs 1 ÷ the number that was followed for its time at least."""
        times = sorted(delays)
        return cls(times, list(accumulate(1 / (number - bisect_left(followed, time)) for time in times)))

    @property
    def whole(self) -> float:
        """All weights."""
        return self.sums[-1]

    def until(self, time: float) -> float:
        """The weights up to a time."""
        index = bisect_right(self.times, time)
        return self.sums[index - 1] if index else 0.0
