"""Query parameters of the dashboard's pages: dates, periods and filters."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from grapevine.analytics.metrics import FILTERS
from grapevine.domain import ids
from grapevine.domain.periods import DEFAULT_DAYS, Period
from grapevine.errors import Invalid

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def read_date(values: Mapping[str, str], name: str) -> date | None:
    """Returns the parameter ``name`` as a calendar date; None when it is missing. Raises Invalid."""
    text = values.get(name)
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Invalid.of(name, "must be a date such as 2026-11-21")


def read_period(values: Mapping[str, str], default_last: date) -> Period:
    """Returns the days from ``from`` to ``to``. Raises Invalid.

    Without ``to`` the period ends on ``default_last``; without ``from`` it has ``DEFAULT_DAYS`` days.
    """
    last = read_date(values, "to") or default_last
    first = read_date(values, "from")
    if first is None:
        first = last - min(timedelta(days=DEFAULT_DAYS - 1), last - date.min)
    return Period(first, last)


def given_filters(values: Mapping[str, str]) -> dict[str, str]:
    """Returns the filter parameters that are given, by name."""
    return {name: values[name] for name in FILTERS if name in values}


def today(now: int) -> date:
    """Returns the UTC day of ``now`` (milliseconds)."""
    return ids.day_date(ids.day_at(now))
