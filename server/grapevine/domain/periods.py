"""Times and periods as people and programs outside write them: RFC 3339 in UTC, calendar dates, intervals."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache
from typing import Final

import msgspec

from grapevine.domain import ids
from grapevine.errors import FieldError, Invalid

Clock = Callable[[], int]
"""Returns UTC milliseconds."""

DEFAULT_DAYS: Final = 30
LONGEST_DAYS: Final = 3_653
EARLIEST: Final = date(2000, 1, 1)
LATEST: Final = date(2198, 12, 31)
"""Visit ids hold days up to 2199; nothing can have happened outside these dates."""

MOST_POINTS: Final = 10_000
_UNIX_EPOCH: Final = date(1970, 1, 1)
_TIME: Final = re.compile(r"\d{4}-\d\d-\d\d[Tt]\d\d:\d\d:\d\d(\.\d{1,9})?([Zz]|[+-]\d\d:\d\d)", re.ASCII)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST_DAY: Final = (date.min - _UNIX_EPOCH).days
_LAST_DAY: Final = (date.max - _UNIX_EPOCH).days
_MINUTES: Final = tuple(f"{hour:02}:{minute:02}" for hour in range(24) for minute in range(60))

INTERVALS: Final = ("hour", "day", "week", "month")


def rfc3339(at: int) -> str:
    """A UTC time in milliseconds as RFC 3339 with milliseconds: ``2026-11-21T09:30:00.000Z``.

    A time outside the years 1 to 9999, which RFC 3339 cannot write, is written on the last day within them.
    """
    day, rest = divmod(at, ids.DAY_MS)
    minute, rest = divmod(rest, 60_000)
    return f"{_date(day)}T{_MINUTES[minute]}:{rest // 1000:02}.{rest % 1000:03}Z"


@lru_cache(maxsize=4_096)
def _date(day: int) -> str:
    """The calendar date so many days after 1970-01-01: a cascade has thousands of times of a few days."""
    return (_UNIX_EPOCH + timedelta(days=min(max(day, _FIRST_DAY), _LAST_DAY))).isoformat()


def read_time(text: str) -> int:
    """Returns a time of RFC 3339 in UTC milliseconds, which ``rfc3339`` can write.

    Raises ValueError, whose text continues a sentence about it.
    """
    if not _TIME.fullmatch(text):
        raise ValueError("must be a time of RFC 3339 such as 2026-11-21T09:30:00Z")
    try:
        at = (datetime.fromisoformat(text.upper()) - _EPOCH) // timedelta(milliseconds=1)
    except (ValueError, OverflowError):
        raise ValueError("is no time that there is") from None
    if not _FIRST_DAY <= at // ids.DAY_MS <= _LAST_DAY:  # its offset puts it into the year before or after
        raise ValueError("must be within the years 1 to 9999 in UTC")
    return at


class Period(msgspec.Struct, frozen=True):
    """The UTC days from ``first`` to ``last``, both included.

    Raises Invalid (fields ``from`` and ``to``) when they are out of order, more than ten years apart, or outside the
    dates that visit ids can hold.
    """

    first: date
    last: date

    def __post_init__(self) -> None:
        wrong = [
            FieldError(field, f"must be a date from {EARLIEST} to {LATEST}")
            for field, day in (("from", self.first), ("to", self.last))
            if not EARLIEST <= day <= LATEST
        ]
        if self.first > self.last:
            wrong.append(FieldError("from", "must not be after `to`"))
        elif (self.last - self.first).days >= LONGEST_DAYS:
            wrong.append(FieldError("from", "must be at most ten years before `to`"))
        if wrong:
            raise Invalid.of_all(wrong)

    @classmethod
    def ending(cls, now: int, days: int = DEFAULT_DAYS) -> Period:
        """The ``days`` days that end with the day of ``now`` (milliseconds)."""
        today = ids.day_date(ids.day_at(now))
        return cls(today - timedelta(days=days - 1), today)

    @property
    def days(self) -> range:
        """Its days as numbers since 2020-01-01."""
        return range(ids.day_number(self.first), ids.day_number(self.last) + 1)

    @property
    def start(self) -> int:
        """The millisecond at which it begins."""
        return ids.day_start(self.days.start)

    @property
    def end(self) -> int:
        """The first millisecond after it."""
        return ids.day_start(self.days.stop)

    @property
    def hours(self) -> range:
        """Its hours as numbers since 1970-01-01."""
        return range(self.start // ids.HOUR_MS, self.end // ids.HOUR_MS)


def interval_starts(period: Period, interval: str) -> list[int]:
    """The starts (ms) of all hours, days, weeks (from Monday, ISO 8601) or months that touch ``period``, in order.

    Raises Invalid when ``interval`` is none of these, or when there are more than 10,000.
    """
    if interval not in INTERVALS:
        raise Invalid.of("interval", f"must be one of {', '.join(INTERVALS)}")
    if interval == "hour":
        if len(period.hours) > MOST_POINTS:
            raise Invalid.of("interval", f"would give {len(period.hours)} points, more than {MOST_POINTS}")
        return [hour * ids.HOUR_MS for hour in period.hours]
    return list(dict.fromkeys(interval_start(ids.day_start(day), interval) for day in period.days))


def interval_start(at: int, interval: str) -> int:
    """The start (ms) of the hour, day, week or month in which ``at`` (ms) lies."""
    if interval == "hour":
        return at // ids.HOUR_MS * ids.HOUR_MS
    day = ids.day_at(at)
    if interval == "day":
        return ids.day_start(day)
    when = ids.day_date(day)
    return ids.day_start(day - (when.weekday() if interval == "week" else when.day - 1))
