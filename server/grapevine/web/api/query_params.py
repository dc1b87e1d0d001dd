"""Query parameters: dates, periods, filters and numbers, read in one way by the read API and the dashboard."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final

from starlette.requests import Request

from grapevine.analytics.metrics import FILTERS, Filters
from grapevine.domain import ids
from grapevine.domain.periods import DEFAULT_DAYS, Period
from grapevine.errors import FieldError, Invalid

PERIOD: Final = ("from", "to")

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,9}", re.ASCII)


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


class QueryParams:
    """The query parameters of one API request, of which only ``names`` and ``site`` are allowed.

    Raises Invalid that names every other parameter and every repeated one. Each method raises Invalid when its
    parameter cannot be read.
    """

    def __init__(self, request: Request, *names: str) -> None:
        known = ("site", *names)
        found = [name for name, _ in request.query_params.multi_items()]
        wrong = [
            FieldError(name, "is no parameter of this call" if name not in known else "must come once")
            for name in dict.fromkeys(found)
            if name not in known or found.count(name) > 1
        ]
        if wrong:
            raise Invalid(f"This call takes {', '.join(known)}, each at most once.", errors=tuple(wrong))
        self._values = dict(request.query_params)

    def text(self, name: str) -> str | None:
        """Returns the parameter as it is; None when it is missing."""
        return self._values.get(name)

    def required(self, name: str) -> str:
        """Returns the parameter as it is."""
        value = self._values.get(name)
        if value is None:
            raise Invalid.of(name, "is needed")
        return value

    def number(self, name: str, default: int) -> int:
        """Returns the parameter as a whole number of at most nine digits."""
        value = self._values.get(name)
        if value is None:
            return default
        if not _NUMBER.fullmatch(value):
            raise Invalid.of(name, "must be a whole number")
        return int(value)

    def period(self, now: int) -> Period:
        """Returns the days from ``from`` to ``to``; today is the default end."""
        return read_period(self._values, today(now))

    def filters(self) -> Filters:
        """Returns the filters that every statistic takes."""
        return Filters(**given_filters(self._values))

    def date(self, name: str) -> date | None:
        """Returns the parameter as a calendar date; None when it is missing."""
        return read_date(self._values, name)
