"""Returns of a site's pages by the minute, for spikes: people as in ``worlds``, with or without planted spikes.

A page's readers come by the hour, feel like sharing in waves, and share into circles of very unequal size; people who
come back through a share may share again. Arrivals in the night mostly wait for the morning.
"""

from __future__ import annotations

import math
import random
from bisect import bisect_left
from collections.abc import Sequence
from typing import Final, NamedTuple

from tests.accuracy.worlds import Traits, poisson

HOUR: Final = 60
DAY: Final = 24 * HOUR
_DAY_SHAPE: Final = [0.25, 0.15, 0.1, 0.08, 0.08, 0.15, 0.4, 0.8, 1.2, 1.4, 1.5, 1.5, 1.6, 1.5, 1.4, 1.4, 1.4, 1.4, 1.4,
                     1.5, 1.6, 1.4, 1.0, 0.5]  # fmt: skip
_MOST_AGAIN: Final = 0.4
_MOST_READERS: Final = 200
_AWAKE: Final = 7.0


class PlantedSpike(NamedTuple):
    """A spike of known truth: ``page`` has ``times`` its returns for so many minutes from ``start``; ``rate`` are the
    returns an hour that it would have had."""

    page: int
    start: int
    minutes: int
    times: float
    rate: float


def site(seed: int, kind: Traits, days: int) -> list[list[int]]:
    """For each page the minutes of its returns in order; no page is news, and no news brings readers from elsewhere."""
    chance = random.Random(f"returning {seed}")  # noqa: S311
    popular = [math.exp(chance.gauss(0, 0.5)) / (index + 1) ** 0.8 for index in range(kind.pages)]
    return [
        _page(chance, kind, kind.visits_a_day * own / sum(popular), days, index) for index, own in enumerate(popular)
    ]


def plant(chance: random.Random, pages: Sequence[list[int]], page: int, start: int, times: float) -> PlantedSpike:
    """Adds a spike of three hours to a page, as a multiple of the page's returns at that hour of the day."""
    minutes, days = 3 * HOUR, 14
    before = pages[page]
    usual = [_between(before, start - day * DAY, start - day * DAY + minutes) for day in range(1, days + 1)]
    rate = sum(usual) / days / (minutes / HOUR)
    extra = [start + chance.randrange(minutes) for _ in range(poisson(chance, (times - 1) * rate * minutes / HOUR))]
    before += extra
    before.sort()
    return PlantedSpike(page, start, minutes, times, rate)


def _between(minutes: Sequence[int], start: int, end: int) -> int:
    return bisect_left(minutes, end) - bisect_left(minutes, start)


def _page(chance: random.Random, kind: Traits, visits_a_day: float, days: int, index: int) -> list[int]:
    shared = 0.0 if index and chance.random() < kind.silent_pages else math.exp(chance.gauss(-0.125, 0.5))
    hours, end = days * 24, days * DAY
    memory = math.exp(-1 / (kind.heat_days * 24))
    step, heat = kind.heat * math.sqrt(1 - memory * memory), chance.gauss(0, kind.heat)
    found: list[int] = []
    for hour in range(hours):
        heat = memory * heat + chance.gauss(0, step)
        week = kind.weekend if hour // 24 % 7 >= 5 else 1.0
        mean = visits_a_day / 24 * _DAY_SHAPE[hour % 24] * week
        if kind.overdispersion and mean:
            mean *= chance.gammavariate(1 / kind.overdispersion, kind.overdispersion)
        eager = kind.sharing * shared * math.exp(heat - kind.heat**2 / 2)
        again = min(eager, _MOST_AGAIN / kind.circle)
        shares = [(hour + chance.random()) * HOUR for _ in range(poisson(chance, mean * eager))]
        while shares:
            at = shares.pop()
            tagged = chance.random() >= kind.untagged
            stripped = chance.random() < kind.stripped / 2
            for _ in range(min(poisson(chance, chance.gammavariate(0.6, kind.circle / 0.6)), _MOST_READERS)):
                arrival = _awake(chance, at + HOUR * math.exp(chance.gauss(math.log(kind.delay_hours), 1.2)))
                if arrival >= end:
                    continue
                if chance.random() < again:
                    shares.append(arrival)
                if tagged and not stripped and chance.random() >= kind.stripped / 2 + kind.lost:
                    found.append(int(arrival))
    found.sort()
    return found


def _awake(chance: random.Random, at: float) -> float:
    """Postpones most openings at night to the morning."""
    hour = at % DAY / HOUR
    if chance.random() < _DAY_SHAPE[int(hour)]:
        return at
    return at + ((_AWAKE - hour) % 24 + chance.expovariate(1 / 1.5)) * HOUR
