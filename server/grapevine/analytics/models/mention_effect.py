"""Whether a page was shared more after a mention than its own past explains: docs/mentions.md has the prose.

The conditional test of two Poisson rates (Przyborowski and Wilenski 1940) does not hold its level here, since shares
come in clumps and waves. The spread is taken from how far forecasts of the same page have missed before (Dawid 1984),
with the negative binomial tail that the detection of spikes uses (Noufaily and others 2013). Knows neither stores nor
clocks.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import reduce
from typing import Final, Literal, NamedTuple

import msgspec

from grapevine.analytics.models.spike_detection import tail

DAYS: Final = 56
"""How far back a page's usual rate is looked for."""
FEWEST_DAYS: Final = 21
"""A page that is known for fewer days has no usual rate yet."""
FEWEST_SHARES: Final = 10
"""In the days before and the window together; fewer say nothing."""
LEVEL: Final = 0.005
"""A rise is said where chance alone brings as many shares with this probability at most, by the model."""
FALSE_ALARMS: Final = 0.05
"""Of mentions that changed nothing, at most this part is said to have been followed by a rise (tests/accuracy)."""
NEXT_DAYS: Final = 2
"""The window: so many whole days (UTC) after the mention's own, which is neither before nor after and is left out."""

_MEMORIES: Final = (0.5 ** (1 / 3), 0.5 ** (1 / 7))  # halves in three days, and in a week
_SETTLED: Final = 7  # days before the first forecast that is compared with what came
_CLUMPS: Final = 3.0  # variance over mean of a page that has shown nothing yet
_CLUMPS_SEEN: Final = 20.0  # shares that this counts for
_WAVES: Final = 0.15  # squared variation of the rate itself, and for how many windows it counts
_WAVES_SEEN: Final = 8.0
_LEAST_CLUMPS: Final = 1.2
_LEAST_RATE: Final = 0.1
_NORMAL: Final = 1.96
_WEEK_PRIOR: Final = 1.0  # shares that every day is taken to have had besides


class Span(NamedTuple):
    """``shares`` in one or more days; ``busy`` is how many average days of the site these are."""

    shares: int
    busy: float


class Effect(msgspec.Struct, frozen=True):
    """A page's shares after a mention, against what its own past lets expect."""

    says: Literal["rose", "no clear change"]
    """`rose` when chance alone would hardly bring as many shares."""
    shares: int
    """Shares in the two days (UTC) after the mention's day."""
    expected: float
    """How many were to be expected without it."""
    ratio: float
    """Shares divided by expected."""
    low: float
    """The lower end of an interval around the ratio that holds the true one nine times of ten at least."""
    high: float
    """Its upper end."""
    p: float
    """The probability of as many shares or more by chance."""


def judge(past: Sequence[Span], after: Span) -> Effect | None:
    """Returns what is to be said of the window ``after`` a mention; None where the past is short, or shares are few.

    ``past`` are the days before the mention's own, the oldest first.
    """
    if len(past) < FEWEST_DAYS or sum(each.shares for each in past) + after.shares < FEWEST_SHARES:
        return None
    expected = _expected(reduce(_remember, past, _NOTHING), after.busy)
    clumps, waves = spread(past)
    size = expected / max(clumps - 1, waves * expected)
    p = tail(after.shares, expected, size) if after.shares > expected else 1.0
    # Half a share keeps the interval wide where none came.
    wide = math.exp(_NORMAL * math.sqrt(1 / max(after.shares, 0.5) + 1 / size))
    return Effect(
        says="rose" if p <= LEVEL else "no clear change",
        shares=after.shares,
        expected=expected,
        ratio=after.shares / expected,
        low=after.shares / expected / wide,
        high=max(after.shares, 0.5) / expected * wide,
        p=p,
    )


def spread(days: Sequence[Span]) -> tuple[float, float]:
    """How far windows of the past were from their forecast: as variance over mean, and as the squared coefficient of
    variation beyond chance. Both start from the values of a page that has shown nothing yet."""
    seen: list[tuple[int, float]] = []
    sums = _NOTHING
    for index, day in enumerate(days):
        window = days[index + 1 : index + 1 + NEXT_DAYS]
        if index >= _SETTLED and len(window) == NEXT_DAYS:
            seen.append((sum(each.shares for each in window), _expected(sums, sum(each.busy for each in window))))
        sums = _remember(sums, day)
    usual = sum(expected for _, expected in seen) / max(len(seen), 1)
    prior = _WAVES_SEEN * max(usual, 1.0) ** 2
    squares, means = _CLUMPS * _CLUMPS_SEEN, _CLUMPS_SEEN
    excess, mean_squares = _WAVES * prior, prior
    for shares, expected in seen:
        error = (shares - expected) ** 2
        squares += error
        means += expected
        excess += error - expected
        mean_squares += expected * expected
    return max(squares / means, _LEAST_CLUMPS), max(excess, 0.0) / mean_squares


def weekdays(shares: Sequence[int], first: int) -> list[float]:
    """How busy each weekday is, 1 on average, from the site's ``shares`` of successive days, of which ``first`` is the
    weekday of the oldest (0…6). The returned list is by weekday."""
    mean = sum(shares) / max(len(shares), 1) + _WEEK_PRIOR
    sums, days = [mean] * 7, [1] * 7
    for index, number in enumerate(shares):
        sums[(first + index) % 7] += number + _WEEK_PRIOR
        days[(first + index) % 7] += 1
    rates = [total / number for total, number in zip(sums, days, strict=True)]
    average = sum(rates) / 7
    return [rate / average for rate in rates]


_Sums = tuple[tuple[float, float], ...]
_NOTHING: Final[_Sums] = ((0.0, 0.0),) * len(_MEMORIES)


def _remember(sums: _Sums, day: Span) -> _Sums:
    return tuple(
        (memory * shares + day.shares, memory * busy + day.busy)
        for memory, (shares, busy) in zip(_MEMORIES, sums, strict=True)
    )


def _expected(sums: _Sums, busy: float) -> float:
    """The higher of the rate of the last days and that of the last weeks, in a time as busy as this."""
    rate = max(shares / max(busyness, 1.0) for shares, busyness in sums)
    return max(rate, _LEAST_RATE) * busy
