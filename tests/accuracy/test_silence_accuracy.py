"""Silences: how often a site is called silent that only has a quiet time, and how soon a real silence is told."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product
from statistics import median

from grapevine.analytics.models.silence import LEAST_HOURS, PAST_DAYS, judge
from tests.accuracy.silent_worlds import KINDS, visits

WEEKS = 26


def told(hours: list[int]) -> Iterator[int]:
    """The hours at which a silence is told, once each."""
    lasting = False
    for end in range(PAST_DAYS * 24, len(hours) + 1):
        if any(hours[end - LEAST_HOURS : end]):
            lasting = False
        elif not lasting and judge(hours[end - PAST_DAYS * 24 : end], watched=PAST_DAYS * 24):
            lasting = True
            yield end


def test_a_quiet_time_is_hardly_ever_called_silent() -> None:
    alarms = {kind.name: sum(1 for _ in told(visits(kind, WEEKS * 7, 1))) for kind in KINDS}
    assert sum(alarms.values()) <= 4, alarms


def test_a_real_silence_is_told_soon() -> None:
    after: list[tuple[str, int | None]] = []
    for kind, seed in product(KINDS, range(3)):
        hours = visits(kind, PAST_DAYS + 3, seed + 100)
        began = (PAST_DAYS + 1) * 24 + 6 + 5 * seed  # by day
        hours[began:] = [0] * (len(hours) - began)
        after.append((kind.name, next((end - began for end in told(hours) if end > began), None)))
    found = [hours for _, hours in after if hours is not None]
    assert len(found) >= len(after) - 1, after
    assert LEAST_HOURS <= min(found) <= median(found) <= 14, after
    assert max(found) <= 40, after


def test_nothing_is_said_of_what_was_not_watched_or_is_too_small_or_too_young() -> None:
    kind = KINDS[0]
    silent = [*visits(kind, PAST_DAYS, 7)[12:], *[0] * 12]
    found = judge(silent, watched=400)
    assert found is not None
    assert (found.hours, 20 < found.missed < 40, 50 < found.a_day < 70) == (12, True, True)
    assert judge(silent, watched=LEAST_HOURS - 1) is None
    partly = judge(silent, watched=8)
    assert partly is not None
    assert (partly.hours, partly.missed < found.missed) == (8, True)
    assert judge([*visits(kind._replace(visits_a_day=30), PAST_DAYS, 7)[12:], *[0] * 12], watched=400) is None
    young = [*[0] * 22 * 24, *silent[22 * 24 :]]
    assert judge(young, watched=400) is None
    assert judge([0] * PAST_DAYS * 24, watched=400) is None
    # A silence of before makes the next one no less remarkable once it was told.
    again = list(silent)
    outage = range(len(again) - 10 * 24, len(again) - 9 * 24)
    for hour in outage:
        again[hour] = 0
    assert judge(again, watched=400) is None
    assert judge(again, watched=400, told=outage) is not None
