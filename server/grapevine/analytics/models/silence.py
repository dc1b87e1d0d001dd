"""When a site that usually has visits has been without any for too long: its script is gone, or the site is down.

Silence is measured in visits that did not come: the sum, over its hours, of the mean number of visits at that hour of
the day. Quiet nights miss few. Of independent visits the gap after each misses m or more with a probability of exp(-m),
as in every Poisson process. Visits that come in waves, and weekends of an office's site, are not independent: so a
silence also has to miss clearly more than the site's own gaps of four weeks did.
"""

from __future__ import annotations

from collections.abc import Container, Sequence
from typing import Final, NamedTuple

PAST_DAYS: Final = 28
FEWEST_DAYS: Final = 7
"""So many days of visits are needed to know what is usual."""
LEAST_A_DAY: Final = 50
"""Visits a day, on average of the last seven days with any."""
LEAST_HOURS: Final = 6
LEAST_MISSED: Final = 12.0
MARGIN: Final = 2.0
"""How many times as much as the longest of the usual gaps a silence has to miss."""
_DAY: Final = 24
_WEEK: Final = 7 * _DAY


class Silence(NamedTuple):
    """Silence of so many full hours, in which ``missed`` visits were to be expected, of a site that has ``a_day``
    visits a day."""

    hours: int
    missed: float
    a_day: float


def judge(hours: Sequence[int], watched: int, told: Container[int] = ()) -> Silence | None:
    """Returns the silence with which ``hours`` end, None where they end with none.

    ``hours`` are the numbers of visits of the last full hours, at most ``PAST_DAYS`` days of them, the last one last.
    Only the last ``watched`` hours can be silent: before them no server may have run to count a visit. ``told`` are the
    indexes of hours of earlier silences, which are no usual gaps.
    """
    quiet = _quiet_end(hours)
    silent = min(quiet, watched)
    first = next((index for index, visits in enumerate(hours) if visits), len(hours))
    before = hours[first : len(hours) - quiet]
    if silent < LEAST_HOURS or len(before) < FEWEST_DAYS * _DAY:
        return None
    a_day = sum(before[-7 * _DAY :]) / 7
    usual = _by_hour(before)  # counted back from the last hour before the silence
    missed = _missed(usual, quiet - silent, quiet)
    usual_gap = max(_gaps(before, usual, {index - first for index in range(len(hours)) if index in told}))
    if a_day < LEAST_A_DAY or missed < max(LEAST_MISSED, MARGIN * usual_gap):
        return None
    return Silence(silent, missed, a_day)


def _quiet_end(hours: Sequence[int]) -> int:
    return next((back for back, visits in enumerate(reversed(hours)) if visits), len(hours))


def _by_hour(hours: Sequence[int]) -> list[float]:
    """Returns what is usual at each hour of the week; hour 0 is the one that follows the last of ``hours``.

    It is the mean of the hour of the day, times how busy that day of the week is: four weeks are too few to know each
    hour of the week on its own.
    """
    usual = [_mean(hours, hour, _DAY) for hour in range(_DAY)]
    days = [[_mean(hours, day * _DAY + hour, _WEEK) for hour in range(_DAY)] for day in range(7)]
    busy = [sum(day) / sum(usual) for day in days]
    return [busy[hour // _DAY] * usual[hour % _DAY] for hour in range(_WEEK)]


def _mean(hours: Sequence[int], hour: int, period: int) -> float:
    """Returns the mean of every ``period``-th hour; ``hour`` 0 is the one that follows the last of ``hours``."""
    some = hours[len(hours) - period + hour :: -period]
    return sum(some) / len(some)


def _missed(usual: Sequence[float], start: int, end: int) -> float:
    return sum(usual[hour % _WEEK] for hour in range(start, end))


def _gaps(hours: Sequence[int], usual: Sequence[float], told: Container[int]) -> list[float]:
    """Returns how many visits each run of hours without visits missed, 0 where there was none between two hours, or it
    was called a silence: also the hours of the run before a restart, after which the server told of it."""
    found, missed, is_told = list[float](), 0.0, False
    for index, visits in enumerate(hours):
        if visits:
            found.append(0.0 if is_told else missed)
            missed, is_told = 0.0, False
        else:
            missed += usual[(index - len(hours)) % _WEEK]
            is_told = is_told or index in told
    return found
