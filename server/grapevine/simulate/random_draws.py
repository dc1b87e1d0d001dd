"""Draws that the random module lacks. Every one takes the generator it draws from, so one seed gives one world."""

from __future__ import annotations

import math
from collections.abc import Callable
from random import Random
from typing import Final, TypeVar

T = TypeVar("T")

_DISPERSION: Final = 0.5
_MINUTE_MS: Final = 60_000
_HOUR_MS: Final = 60 * _MINUTE_MS
_MEDIAN_DELAY_MS: Final = 3 * _HOUR_MS
_SPREAD: Final = 1.5
_HOURS: Final = (2, 1, 1, 1, 1, 3, 6, 11, 14, 15, 15, 14, 15, 14, 13, 13, 14, 15, 17, 20, 21, 19, 13, 6)
_MORNING: Final = 7
_WAITS_FOR_MORNING: Final = 0.8


def pick(random: Random, weighted: tuple[tuple[float, T], ...]) -> T:
    """Returns one of the choices, drawn by weight."""
    return random.choices([choice for _, choice in weighted], [weight for weight, _ in weighted])[0]


def poisson(random: Random, mean: float) -> int:
    """Returns a Poisson number (Knuth's product of uniforms, in pieces so that e^-mean never vanishes)."""
    drawn = 0
    while mean > 0:
        piece = min(mean, 50.0)
        limit, product = math.exp(-piece), random.random()
        while product > limit:
            drawn += 1
            product *= random.random()
        mean -= piece
    return drawn


def openings(random: Random, mean: float) -> int:
    """Returns how many people open one shared link: negative binomial, dispersion 0.5.

    Most links are opened by no one or one person, a few by a whole group; most cascades die within one hop, as Goel,
    Watts and Goldstein (The structure of online diffusion networks, 2012) found in seven networks.
    """
    return poisson(random, random.gammavariate(_DISPERSION, mean / _DISPERSION)) if mean > 0 else 0


def delay(random: Random, at: int) -> int:
    """Returns when (ms) a link shared at ``at`` is opened: log-normal, median 3 h; what falls into the night mostly
    waits for the morning."""
    opened = at + _MINUTE_MS + int(random.lognormvariate(math.log(_MEDIAN_DELAY_MS), _SPREAD))
    hour = opened // _HOUR_MS % 24
    if hour < _MORNING and random.random() < _WAITS_FOR_MORNING:
        morning = (opened // (24 * _HOUR_MS)) * 24 * _HOUR_MS + _MORNING * _HOUR_MS
        return morning + int(random.expovariate(1 / _HOUR_MS))
    return opened


def next_arrival(
    random: Random, at: int, a_day: float, busy: Callable[[int], float] | None = None, most_busy: float = 1.0
) -> int:
    """Returns when (ms) the next visitor after ``at`` comes; ``a_day`` come in a day, more by day than by night
    (thinning: Lewis and Shedler 1979). ``busy`` says how many times more at a time, at most ``most_busy``."""
    busiest = max(_HOURS) / sum(_HOURS) * a_day * most_busy
    moment = float(at)
    while True:
        moment += random.expovariate(busiest) * _HOUR_MS
        rate = _HOURS[int(moment // _HOUR_MS) % 24] * (1 if busy is None else busy(int(moment)))
        if random.random() * max(_HOURS) * most_busy < rate:
            return int(moment)
