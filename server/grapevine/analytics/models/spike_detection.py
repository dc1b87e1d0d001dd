"""Whether a page has far more returns in the last hour than its own recent rate explains: docs/spikes.md has the prose.

The test is that of Farrington, Andrews, Beale and Catchpole (1996) for outbreaks of disease, with the negative binomial
tail of Noufaily and others (2013): an expectation from the page's own past, the spread of past counts around what was
expected of them, and the probability of as many as came. Knows neither stores nor clocks.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence, Set
from operator import mul
from typing import Final, NamedTuple

import msgspec

from grapevine.domain.ids import DAY_MS, HOUR_MS

HOURS: Final = 28 * 24
"""How far back a page's usual rate is looked for."""
FEWEST_HOURS: Final = 72
"""A page younger than this has no usual rate yet."""
FEWEST_RETURNS: Final = 20
"""Fewer in an hour are no spike, however quiet the page."""
LEAST_RISE: Final = 3.0
"""A spike is at least so many times the expected returns."""
CALM_MS: Final = DAY_MS
"""So long after its last moment a spike is over; later returns start another one."""
QUARTER_LOOKS: Final = 91 * 24 * 12
"""Looks at a site in a quarter, one every five minutes; at all of them together one false alarm is expected at most."""

_MEMORIES: Final = (0.5 ** (1 / 24), 0.5 ** (1 / (7 * 24)))  # halves in a day, and in a week
_WEIGHTS: Final = tuple([memory**hour for hour in range(HOURS)] for memory in _MEMORIES)
_CLUMPS: Final = 6.0  # variance over mean of a page that has shown nothing yet: one share brings several at once
_CLUMPS_SEEN: Final = 30.0  # how many returns that counts for
_WAVES: Final = 0.1  # squared variation of the rate itself, and for how many hours it counts
_WAVES_SEEN: Final = 24.0
_RHYTHM_PRIOR: Final = 5.0  # returns that every hour of the day is taken to have had
_LEAST_RATE: Final = 0.05
_LEAST_CLUMPS: Final = 1.5
_SETTLED: Final = 24  # hours before the first that is compared with its expectation
_TINY: Final = 1e-300


class Spike(msgspec.Struct, frozen=True):
    """Far more ``returns`` in an hour than ``expected``; so many or more came by chance with ``probability``."""

    returns: int
    expected: float
    probability: float


class Episode(NamedTuple):
    """A spike that was raised at ``started_at`` and was last seen at ``last_at`` (UTC milliseconds)."""

    started_at: int
    last_at: int


def judge(hours: Sequence[int], rhythm: Sequence[float], pages: int, apart: Set[int] = frozenset()) -> Spike | None:
    """The spike that the last hour is, or None.

    ``hours`` are a page's returns, ``hours[0]`` those of the last 60 minutes, ``hours[k]`` those of the 60 minutes that
    began ``k + 1`` hours ago; ``rhythm`` says how busy the site usually is in each of those hours, 1 on average.
    ``pages`` is how many pages of the site might have been a spike at this look. The hours ``apart`` (as indices)
    belong to spikes that were raised, and say nothing about the usual rate.
    """
    returns = hours[0]
    if returns < FEWEST_RETURNS or len(hours) <= FEWEST_HOURS:
        return None
    expected = expectation(hours, rhythm, apart)
    if returns < LEAST_RISE * expected:
        return None
    clumps, waves = spread(hours, rhythm, apart)
    probability = tail(returns, expected, expected / max(clumps - 1, waves * expected))
    return Spike(returns, expected, probability) if probability <= level(pages) else None


def rhythm(by_hour: Sequence[int], end: int) -> list[float]:
    """How busy each of the last hours was to be, ``[k]`` being the 60 minutes that began ``k + 1`` hours before ``end``
    (UTC milliseconds), from the site's returns in each of the 24 hours of the day (UTC)."""
    mean = sum(by_hour) / 24 + _RHYTHM_PRIOR
    busy = [(returns + _RHYTHM_PRIOR) / mean for returns in by_hour]
    first, part = end // HOUR_MS, end % HOUR_MS / HOUR_MS
    hours = range(first - 1, first - 2 - HOURS, -1)
    return [busy[hour % 24] * (1 - part) + busy[(hour + 1) % 24] * part for hour in hours]


def goes_on(episodes: Iterable[Episode], end: int) -> Episode | None:
    """The episode that a spike seen at ``end`` belongs to; None when it is a new one."""
    return next((each for each in episodes if end - each.last_at < CALM_MS), None)


def set_apart(episodes: Iterable[Episode], end: int) -> frozenset[int]:
    """The hours before ``end`` that belong to spikes, as ``judge`` takes them. Of a spike that lasts it is the first
    day: after that it is the usual rate."""
    found: set[int] = set()
    for started_at, last_at in episodes:
        newest = end - min(last_at, started_at + DAY_MS)
        found.update(range(max(newest // HOUR_MS, 0), min(-(-(end - started_at + HOUR_MS) // HOUR_MS), HOURS + 1)))
    return frozenset(found)


def level(pages: int) -> float:
    """How improbable a spike has to be where so many pages are looked at (Bonferroni's correction)."""
    return 1 / (QUARTER_LOOKS * max(pages, 1))


def expectation(hours: Sequence[int], rhythm: Sequence[float], apart: Set[int] = frozenset()) -> float:
    """Returns the expected returns of the last hour, from the hours before it."""
    returns = [0 if hour in apart else count for hour, count in enumerate(hours)] if apart else hours
    busy = [0.0 if hour in apart else value for hour, value in enumerate(rhythm)] if apart else rhythm
    sums = [(sum(map(mul, weights, returns[1:])), sum(map(mul, weights, busy[1 : len(hours)]))) for weights in _WEIGHTS]
    return _expected(sums, rhythm[0])


def spread(hours: Sequence[int], rhythm: Sequence[float], apart: Set[int] = frozenset()) -> tuple[float, float]:
    """How far past hours were from their expectation: as variance over mean, and as the squared coefficient of
    variation beyond chance.

    Each hour is compared with the expectation from the hours before it (Dawid 1984), so that everything
    the expectation does not know, clumps and waves alike, is in the spread.
    """
    sums = [(0.0, 0.0) for _ in _MEMORIES]
    prior = _WAVES_SEEN * max(expectation(hours, rhythm, apart), 1.0) ** 2
    squares, means = _CLUMPS * _CLUMPS_SEEN, _CLUMPS_SEEN
    excess, mean_squares = _WAVES * prior, prior
    oldest = len(hours) - 1
    for hour in range(oldest, 0, -1):
        returns, busy = (0, 0.0) if hour in apart else (hours[hour], rhythm[hour])
        if busy and oldest - hour >= _SETTLED:
            expected = _expected(sums, busy)
            error = (returns - expected) ** 2
            squares += error
            means += expected
            excess += error - expected
            mean_squares += expected * expected
        sums = [
            (memory * returned + returns, memory * busyness + busy)
            for memory, (returned, busyness) in zip(_MEMORIES, sums, strict=True)
        ]
    return max(squares / means, _LEAST_CLUMPS), max(excess, 0.0) / mean_squares


def tail(count: int, mean: float, size: float) -> float:
    """The probability of ``count`` or more of a negative binomial with that mean and size (variance: mean + mean² ÷
    size), by adding up its terms."""
    odds = mean / (mean + size)
    term = math.exp(
        math.lgamma(count + size)
        - math.lgamma(size)
        - math.lgamma(count + 1)
        + size * math.log1p(-odds)
        + count * math.log(odds)
    )
    total = 0.0
    while term > max(total * 1e-12, _TINY):
        total += term
        term *= odds * (count + size) / (count + 1)
        count += 1
    return min(total, 1.0)


def _expected(sums: Iterable[tuple[float, float]], busy: float) -> float:
    """The higher of the rate of the last day and that of the last weeks, at an hour as busy as this."""
    rate = max(returns / max(busyness, 1.0) for returns, busyness in sums)
    return max(rate, _LEAST_RATE) * busy
