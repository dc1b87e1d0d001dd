"""Pages with known shares by day, for the test of what a mention changed."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from random import Random
from typing import Final, NamedTuple

from grapevine.analytics.models.mention_effect import DAYS, FEWEST_DAYS, NEXT_DAYS, Span, weekdays

_WEEK: Final = (1.2, 1.3, 1.3, 1.2, 1.0, 0.5, 0.5)
_SETTLING: Final = 30


class Mentioned(NamedTuple):
    """A page's past up to a mention, and what came after it."""

    past: list[Span]
    after: Span


class Shape(NamedTuple):
    """Rates by day (without the mention), and how counts spread around them: ``size`` of the negative binomial, and the
    mean number of shares that come together."""

    rates: list[float]
    size: float = math.inf
    together: float = 1.0
    week: tuple[float, ...] = (1.0,) * 7


def steady(random: Random, days: int) -> Shape:
    """One rate; Poisson."""
    return Shape([_rate(random)] * days)


def spread_out(random: Random, days: int) -> Shape:
    """One rate; days differ far more than by chance."""
    return Shape([_rate(random)] * days, size=random.choice((1.0, 3.0, 10.0)))


def clumped(random: Random, days: int) -> Shape:
    """Shares come several at once."""
    return Shape([_rate(random)] * days, together=random.choice((2.0, 5.0, 10.0)))


def weekly(random: Random, days: int) -> Shape:
    """Weekends are quiet."""
    return Shape([_rate(random)] * days, size=random.choice((5.0, 20.0)), week=_WEEK)


def wandering(random: Random, days: int) -> Shape:
    """The rate itself wanders, and keeps for days."""
    level, keeps, rates, mean = 0.0, random.uniform(0.5, 0.9), [], _rate(random)
    for _ in range(days):
        level = keeps * level + random.gauss(0, 0.4 * math.sqrt(1 - keeps**2) * 1.5)
        rates.append(mean * math.exp(level))
    return Shape(rates, size=10.0)


def fading(random: Random, days: int) -> Shape:
    """A new page that is read less every day."""
    half, first, floor = random.uniform(2, 20), _rate(random) * 10, random.uniform(0.1, 2)
    return Shape([first * 0.5 ** (day / half) + floor for day in range(days)], size=random.choice((3.0, 10.0)))


def growing(random: Random, days: int) -> Shape:
    """A page that is read more every day."""
    growth, mean = random.uniform(1.01, 1.05), _rate(random)
    return Shape([mean * growth ** (day - days) for day in range(days)], size=random.choice((5.0, 20.0)))


def bursting(random: Random, days: int) -> Shape:
    """Now and then a day with many times the usual, which fades."""
    rates, burst, mean, every = [], 0.0, _rate(random), random.uniform(15, 60)
    for _ in range(days):
        burst *= random.uniform(0.3, 0.7)
        if random.random() < 1 / every:
            burst += random.uniform(2, 15)
        rates.append(mean * (1 + burst))
    return Shape(rates, size=10.0)


WORLDS: Final[dict[str, Callable[[Random, int], Shape]]] = {
    "steady": steady,
    "spread out": spread_out,
    "clumped": clumped,
    "weekly": weekly,
    "wandering": wandering,
    "fading": fading,
    "growing": growing,
    "bursting": bursting,
}


def mentioned(world: Callable[[Random, int], Shape], random: Random, times: float = 1.0) -> Mentioned:
    """A page of ``world`` that is mentioned on a random day; its shares are ``times`` as many after it."""
    known = random.randint(FEWEST_DAYS, DAYS)
    last = known + 1 + NEXT_DAYS
    lead = 0 if world is fading else _SETTLING
    shape = world(random, lead + last)
    first = random.randrange(7)
    week = [shape.week[(first + day) % 7] for day in range(last)]
    means = [rate * part for rate, part in zip(shape.rates[lead:], week, strict=True)]
    busy = weekdays([_poisson(random, 200 * shape.week[day % 7]) for day in range(DAYS)], 0)
    past = [Span(_count(random, means[day], shape), busy[(first + day) % 7]) for day in range(known)]
    window = range(known + 1, last)
    shares = sum(_count(random, means[day] * times, shape) for day in window)
    return Mentioned(past, Span(shares, sum(busy[(first + day) % 7] for day in window)))


def pages(world: Callable[[Random, int], Shape], seed: int, number: int, times: float = 1.0) -> Iterator[Mentioned]:
    """``number`` mentioned pages."""
    random = Random(seed)  # noqa: S311  # a seeded world
    for _ in range(number):
        yield mentioned(world, random, times)


def _rate(random: Random) -> float:
    return math.exp(random.uniform(math.log(0.5), math.log(60)))


def _count(random: Random, mean: float, shape: Shape) -> int:
    if shape.size < math.inf and mean > 0:
        mean *= random.gammavariate(shape.size, 1 / shape.size)
    if shape.together == 1.0:
        return _poisson(random, mean)
    stay = 1 - 1 / shape.together
    total = 0
    for _ in range(_poisson(random, mean / shape.together)):
        total += 1 + int(math.log(1 - random.random()) / math.log(stay))
    return total


def _poisson(random: Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(random.gauss(mean, math.sqrt(mean))))
    limit, product, count = math.exp(-mean), random.random(), 0
    while product > limit:
        product *= random.random()
        count += 1
    return count
