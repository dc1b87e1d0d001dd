"""Sites whose rates of sharing are known: what their visits, shares and returns show after thirty days.

People are not the formula's: few visits share, each view more than once by the same person, and what a sharer's links
bring differs from sharer to sharer as from a crowd to nobody (negative binomial, twice). Returns come late, and those
behind the end of the period are not seen.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from grapevine.analytics.rates import RateRow, Sample, rate_row
from grapevine.domain import ids
from grapevine.store.readers.rates import SampledShare, SampledVisits

DAYS: Final = 30
START: Final = 1_790_000_000_000 // ids.DAY_MS * ids.DAY_MS
CHANNEL: Final = 0
_NORMAL: Final = NormalDist()


@dataclass(frozen=True)
class RateTraits:
    """The kind of site of a world. ``views`` a visit, ``sharing`` shares a view, ``circle`` returns a share in the end;
    ``eager`` and ``crowds`` are the shapes of gamma distributions: the smaller, the more unequal."""

    visits: int
    views: float
    sharing: float
    circle: float
    eager: float
    crowds: float
    hours: float
    spread: float

    def came_by(self, hours: float) -> float:
        """The part of returns that have come so many hours after a share (log-normal)."""
        return _NORMAL.cdf(math.log(hours / self.hours) / self.spread) if hours > 0 else 0.0

    @property
    def seen(self) -> float:
        """The part of returns that come before the end, of shares at any time of the period."""
        steps = 3_000
        return sum(self.came_by((step + 0.5) / steps * DAYS * 24) for step in range(steps)) / steps

    def median_within(self, hours: float) -> float:
        """After how many hours half of the returns have come that come within so many."""
        return self.hours * math.exp(self.spread * _NORMAL.inv_cdf(self.came_by(hours) / 2))


@dataclass(frozen=True)
class RateOutcome:
    """What was found of a world, the truth of each number, and whether the interval holds it (None: not given)."""

    traits: RateTraits
    row: RateRow
    truth: dict[str, float]
    holds: dict[str, bool | None]


def rate_traits(seed: int, fewest: float = 1_000, most: float = 50_000) -> RateTraits:
    """Draws a kind of site at random."""
    chance = random.Random(f"rates {seed}")  # noqa: S311
    return RateTraits(
        visits=round(math.exp(chance.uniform(math.log(fewest), math.log(most)))),
        views=chance.uniform(1.2, 4.0),
        sharing=math.exp(chance.uniform(math.log(0.005), math.log(0.05))),
        circle=math.exp(chance.uniform(math.log(0.3), math.log(3.0))),
        eager=chance.uniform(0.1, 1.0),
        crowds=chance.uniform(0.3, 2.0),
        hours=math.exp(chance.uniform(math.log(1.0), math.log(30.0))),
        spread=chance.uniform(0.8, 1.6),
    )


def rates_of(seed: int, kind: RateTraits) -> RateOutcome:
    """Simulates the world and asks for its rates."""
    row = rate_row(_lived(random.Random(f"rates world {seed}"), kind), "channel", CHANNEL, "copy")  # noqa: S311
    truth = {
        "shares_per_100_views": 100 * kind.sharing,
        "returns_per_share": kind.circle * kind.seen,
        "k": kind.views * kind.sharing * kind.circle * kind.seen,
    }
    holds: dict[str, bool | None] = {}
    for name, value in truth.items():
        found = getattr(row, name)
        holds[name] = None if found is None else found.low <= value <= found.high
    holds["half_life"] = None
    if row.half_life is not None:
        truth["half_life"] = kind.median_within(row.half_life.within / 3_600) * 3_600
        holds["half_life"] = row.half_life.low <= truth["half_life"] <= row.half_life.high
    return RateOutcome(kind, row, truth, holds)


def _lived(chance: random.Random, kind: RateTraits) -> Sample:
    views = squares = 0
    shares: list[SampledShare] = []
    returns: dict[tuple[int, int, int], list[int]] = {}
    end = START + DAYS * ids.DAY_MS
    for visit in range(kind.visits):
        seen = 1 + _poisson(chance, kind.views - 1)
        views += seen
        squares += seen * seen
        at = START + round(chance.random() * DAYS * ids.DAY_MS)
        made = _poisson(chance, kind.sharing * seen * chance.gammavariate(kind.eager, 1 / kind.eager))
        heat = chance.gammavariate(kind.crowds, 1 / kind.crowds) if made else 0.0
        for n in range(made):
            shares.append(SampledShare(visit, CHANNEL, n, 1, at, seen, 0, visit, at, at))
            readers = _poisson(chance, kind.circle * heat * chance.gammavariate(1.0, 1.0))
            returns[visit, CHANNEL, n] = sorted(_arrivals(chance, kind, at, end, readers))
    visits = SampledVisits(kind.visits, kind.visits, views, squares)
    return Sample({None: visits}, {CHANNEL: shares}, returns, end)


def _arrivals(chance: random.Random, kind: RateTraits, at: int, end: int, readers: int) -> Iterator[int]:
    for _ in range(readers):
        came = at + round(kind.hours * math.exp(chance.gauss(0, kind.spread)) * ids.HOUR_MS)
        if came < end:
            yield came


def _poisson(chance: random.Random, mean: float) -> int:
    """Knuth, TAOCP 3.4.1; a large mean by parts."""
    if mean > 30:
        return _poisson(chance, 30) + _poisson(chance, mean - 30)
    limit, times, product = math.exp(-mean), 0, chance.random()
    while product > limit:
        times, product = times + 1, product * chance.random()
    return times


NAMES: Final = ("shares_per_100_views", "returns_per_share", "k", "half_life")
SIZES: Final = (30, 100, 300)
"""Classes of worlds, by how many visits shared: fewer than the first, than the second, and so on."""


def size_class(sharers: int) -> str:
    """The name of a world's class."""
    place = bisect_left(SIZES, sharers + 1)
    low, high = ([0, *SIZES][place], [*SIZES, None][place])
    return f"{low} to {high - 1} sharers" if high is not None else f"{low} or more sharers"
