"""What changes from day to day in a world: how many come, how much is passed on, and where a page takes off."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Final, NamedTuple

from grapevine.domain import ids

MOST_BUSY: Final = 2.0
"""No hour is so many times busier than the same hour of an average day."""

_THURSDAY: Final = 3  # 1970-01-01
_DAYS_OF_WEEK: Final = 7
_FEWEST_DAYS_OF_SPELLS: Final = 14


class Surge(NamedTuple):
    """A reader posts the page ``path`` by ``channel`` in a large group of the app ``place``: ``openings`` people open
    it there, most of them within ``within`` ms of ``at``."""

    at: int
    path: str
    channel: str
    place: str
    openings: int
    within: int


class Season(NamedTuple):
    """``busy`` says how many times busier than on average it is at a time (UTC ms, at most ``MOST_BUSY``); ``sharing``
    how many times more than on average a page is passed on. Nothing happens after ``until``; at the ``last_arrivals``
    somebody arrives for certain."""

    until: int | None = None
    busy: Callable[[int], float] | None = None
    sharing: Callable[[str, int, int], float] = lambda _path, _at, _depth: 1.0
    surges: tuple[Surge, ...] = ()
    last_arrivals: tuple[int, ...] = ()


STEADY: Final = Season()
"""Every day is like any other, and the world ends with its visits."""


def weekly(factors: Sequence[float], start: int, days: int, growth: float) -> Callable[[int], float]:
    """Returns how busy it is at a time: by day of the week from Monday (``factors``, 1 is the average), and rising by
    the part ``growth`` over the ``days`` from ``start``."""
    mean = sum(factors) / len(factors)

    def busy(at: int) -> float:
        weekday = (at // ids.DAY_MS + _THURSDAY) % _DAYS_OF_WEEK
        risen = growth * ((at - start) / ids.DAY_MS / days - 0.5)
        return min(factors[weekday] / mean * (1 + risen), MOST_BUSY)

    return busy


class SharingWaves:
    """How much each page is passed on: talk about a page rises for days and ebbs away, each page in its own time.

    A page is talked about in spells of one to three days, ``loud`` times as much as on average, and quiet between them,
    so that the average is about 1. A wave moves those who come by themselves, of depth 0: were it to move their
    friends as well, a high one would never end. ``arouse`` says where a surge sets it instead.
    """

    def __init__(self, random: Random, paths: Sequence[str], start: int, days: int, loud: float, quiet: float) -> None:
        self._start = start
        part = (1 - quiet) / (loud - quiet)
        self._waves = {path: _spells(random, days, loud, quiet, part) for path in paths}
        self._aroused: dict[str, list[tuple[int, int, float]]] = {}

    def arouse(self, surge: Surge, last: int, factor: float) -> None:
        """Sets how much the page of ``surge`` is passed on in the ``last`` ms after it."""
        self._aroused.setdefault(surge.path, []).append((surge.at, surge.at + last, factor))

    def __call__(self, path: str, at: int, depth: int) -> float:
        """How many times more than on average somebody who comes at that time (UTC ms) passes ``path`` on."""
        for begins, ends, factor in self._aroused.get(path, ()):
            if begins <= at < ends:
                return factor
        wave = self._waves[path]
        return 1.0 if depth else wave[min(max((at - self._start) // ids.DAY_MS, 0), len(wave) - 1)]


def _spells(random: Random, days: int, loud: float, quiet: float, part: float) -> list[float]:
    """Returns the factor of each day; ``part`` of all days are loud. A short season has no spells."""
    if days < _FEWEST_DAYS_OF_SPELLS:
        return [1.0] * days
    wave: list[float] = []
    while len(wave) < days:
        spell = random.randrange(1, 4)
        wave += [quiet] * round(random.uniform(0.5, 1.5) * spell * (1 / part - 1)) + [loud] * spell
    shift = random.randrange(days)
    return [*wave[shift:days], *wave[:shift]]
