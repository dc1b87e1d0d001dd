"""Sites by the hour: how many visits come, with the rhythm of days and weeks, and in waves."""

from __future__ import annotations

import math
from random import Random
from typing import NamedTuple

HOURS_A_WEEK = 168


class Kind(NamedTuple):
    """A kind of site. ``night`` and ``weekend`` are how much is left of a usual hour then, ``waves`` the variance of
    the rate itself (0: independent visits)."""

    name: str
    visits_a_day: float
    night: float
    weekend: float
    waves: float


KINDS = (
    Kind("even", 60, 1.0, 1.0, 0.0),
    Kind("quiet nights", 60, 0.05, 0.9, 0.2),
    Kind("quiet nights, busy", 1_000, 0.05, 0.9, 0.3),
    Kind("an office's", 80, 0.05, 0.05, 0.2),
    Kind("in waves", 70, 0.2, 0.8, 1.0),
    Kind("in waves, busy", 400, 0.2, 0.8, 1.0),
)


def visits(kind: Kind, days: int, seed: int) -> list[int]:
    """Returns the visits of each hour. Waves last for six hours each: a gamma factor of mean 1 on their rate."""
    random = Random(f"{kind.name} {seed}")  # noqa: S311  # a seeded world
    shape = [_shape(kind, hour) for hour in range(HOURS_A_WEEK)]
    each = kind.visits_a_day * 7 / sum(shape)
    found, wave = list[int](), 1.0
    for hour in range(days * 24):
        if kind.waves and hour % 6 == 0:
            wave = random.gammavariate(1 / kind.waves, kind.waves)
        found.append(_poisson(random, each * shape[hour % HOURS_A_WEEK] * wave))
    return found


def _shape(kind: Kind, hour: int) -> float:
    day = kind.weekend if hour // 24 >= 5 else 1.0
    return day * (kind.night + (1 - kind.night) * max(0.0, math.sin((hour % 24 - 6) / 18 * math.pi)))


def _poisson(random: Random, mean: float) -> int:
    if mean > 50:
        return max(0, round(random.gauss(mean, math.sqrt(mean))))
    limit, number, product = math.exp(-mean), 0, random.random()
    while product > limit:
        number += 1
        product *= random.random()
    return number
