"""What a dashboard URL says: which site, which period, which part of it. Every view is a URL that can be sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, timedelta
from typing import Final
from urllib.parse import urlencode

from grapevine.analytics.metrics import Filters
from grapevine.domain import ids
from grapevine.domain.periods import DEFAULT_DAYS, Period
from grapevine.errors import Invalid

PRESETS: Final = {7: "7 days", 30: "30 days", 90: "90 days", 365: "12 months"}
PERIOD: Final = ("days", "from", "to")
FILTERS: Final = ("page", "channel", "source", "device")
_DATE: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")


class ViewUrl:
    """The path and the query parameters of the page that is asked for; makes the links of the page."""

    def __init__(self, path: str, params: Mapping[str, str]) -> None:
        self.path = path
        self.params = {name: value for name, value in params.items() if value}

    def changed(self, **changes: object) -> str:
        """This page with some parameters changed; None takes one away."""
        return _url(self.path, self.params | changes)

    def to(self, path: str, **params: object) -> str:
        """Another page about the same site."""
        return _url(path, {"site": self.params.get("site")} | params)

    def to_same_days(self, path: str, **params: object) -> str:
        """Another page about the same site and the same days."""
        return self.to(path, **{name: self.params.get(name) for name in PERIOD} | params)

    def period(self, now: int) -> Period:
        """The days asked for: ``from`` and ``to``, or the last ``days`` of them. Raises Invalid."""
        first, last = _day(self.params, "from"), _day(self.params, "to")
        if first is None and last is None:
            return Period.ending(now, self.days or DEFAULT_DAYS)
        last = last or max(first or date.min, ids.day_date(ids.day_at(now)))
        return Period(first or last - timedelta(days=DEFAULT_DAYS - 1), last)

    @property
    def days(self) -> int | None:
        """How many days back were asked for; None when it is a fixed period. Raises Invalid."""
        if "from" in self.params or "to" in self.params:
            return None
        text = self.params.get("days", str(DEFAULT_DAYS))
        if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= 3_653:
            raise Invalid.of("days", "must be a whole number from 1 to 3653")
        return int(text)

    def filters(self) -> Filters:
        """The part of the numbers that is asked for. Raises Invalid."""
        return Filters(**self.chosen())

    def chosen(self) -> dict[str, str]:
        """The filters that are set."""
        return {name: self.params[name] for name in FILTERS if name in self.params}


def _url(path: str, params: Mapping[str, object]) -> str:
    query = urlencode([(name, str(value)) for name, value in params.items() if value is not None])
    return f"{path}?{query}" if query else path


def _day(params: Mapping[str, str], name: str) -> date | None:
    text = params.get(name)
    if text is None:
        return None
    try:
        if _DATE.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise Invalid.of(name, "must be a date such as 2026-11-21")
