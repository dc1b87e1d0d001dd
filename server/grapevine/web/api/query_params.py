"""Query parameters of the read API: each call knows its own, everything else is refused by name."""

from __future__ import annotations

import re
from datetime import date, timedelta
from typing import Final

from starlette.requests import Request

from grapevine.analytics.metrics import Filters
from grapevine.domain import ids
from grapevine.domain.periods import DEFAULT_DAYS, Period
from grapevine.errors import FieldError, Invalid

PERIOD: Final = ("from", "to")
FILTERS: Final = ("page", "channel", "source", "device")

_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)
_NUMBER: Final = re.compile(r"\d{1,9}", re.ASCII)


class Parameters:
    """The parameters of one request; ``site`` may come with every call.

    Raises Invalid naming every parameter that is not among ``names`` or comes twice. Each reader raises Invalid when
    its parameter cannot be read.
    """

    def __init__(self, request: Request, *names: str) -> None:
        known = ("site", *names)
        counted = [name for name, _ in request.query_params.multi_items()]
        wrong = [
            FieldError(name, "is no parameter of this call" if name not in known else "must come once")
            for name in dict.fromkeys(counted)
            if name not in known or counted.count(name) > 1
        ]
        if wrong:
            raise Invalid(f"This call takes {', '.join(known)}, each at most once.", errors=tuple(wrong))
        self._values = dict(request.query_params)

    def text(self, name: str) -> str | None:
        """The parameter as it is; None when it is missing."""
        return self._values.get(name)

    def needed(self, name: str) -> str:
        """The parameter as it is, which must be there."""
        value = self._values.get(name)
        if value is None:
            raise Invalid.of(name, "is needed")
        return value

    def number(self, name: str, default: int) -> int:
        """The parameter as a whole number of at most nine digits."""
        value = self._values.get(name)
        if value is None:
            return default
        if not _NUMBER.fullmatch(value):
            raise Invalid.of(name, "must be a whole number")
        return int(value)

    def period(self, now: int) -> Period:
        """The days from ``from`` to ``to``; today where the end is missing, 30 days where the beginning is."""
        last = self.day("to") or ids.day_date(ids.day_at(now))
        first = self.day("from")
        if first is None:
            first = last - min(timedelta(days=DEFAULT_DAYS - 1), last - date.min)
        return Period(first, last)

    def filters(self) -> Filters:
        """The filters that every statistic takes."""
        return Filters(**{name: self._values[name] for name in FILTERS if name in self._values})

    def day(self, name: str) -> date | None:
        """The parameter as a calendar date; None when it is missing."""
        value = self._values.get(name)
        if value is None:
            return None
        try:
            return date.fromisoformat(value) if _DATE.fullmatch(value) else _refuse(name)
        except ValueError:
            return _refuse(name)


def _refuse(name: str) -> date:
    raise Invalid.of(name, "must be a date such as 2026-11-21")
