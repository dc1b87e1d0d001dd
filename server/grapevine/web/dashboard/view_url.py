"""The URL of a dashboard page: its site, its period and its filters. Every view is a URL that can be sent."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Final
from urllib.parse import urlencode

from grapevine.analytics.metrics import Filters
from grapevine.domain.periods import DEFAULT_DAYS, Period
from grapevine.domain.storable import storable
from grapevine.errors import Invalid
from grapevine.web.api.query_params import given_filters, read_date, read_period, today

PRESETS: Final = {7: "7 days", 30: "30 days", 90: "90 days", 365: "12 months"}
PERIOD: Final = ("days", "from", "to")


class ViewUrl:
    """The path and the query parameters of the requested page; makes the links on that page."""

    def __init__(self, path: str, params: Mapping[str, str]) -> None:
        self.path = path
        self.params = {name: storable(value) for name, value in params.items() if value}

    def changed(self, **changes: object) -> str:
        """Returns the URL of this page with some parameters changed; None removes one."""
        return _url(self.path, self.params | changes)

    def without_filters(self) -> str:
        """Returns the URL of this page without its filters."""
        return self.changed(**dict.fromkeys(self.chosen()))

    def to(self, path: str, **params: object) -> str:
        """Returns the URL of another page of the same site."""
        return _url(path, {"site": self.params.get("site")} | params)

    def to_same_days(self, path: str, **params: object) -> str:
        """Returns the URL of another page of the same site and the same period."""
        return self.to(path, **{name: self.params.get(name) for name in PERIOD} | params)

    def period(self, now: int) -> Period:
        """Returns the period: ``from`` and ``to``, or the last ``days`` days. Raises Invalid."""
        if self.days is not None:
            return Period.ending(now, self.days)
        first = read_date(self.params, "from")
        return read_period(self.params, max(first or today(now), today(now)))

    @property
    def days(self) -> int | None:
        """The number of days back from today; None for a fixed period. Raises Invalid."""
        if "from" in self.params or "to" in self.params:
            return None
        text = self.params.get("days", str(DEFAULT_DAYS))
        if not re.fullmatch(r"[0-9]{1,4}", text) or not 1 <= int(text) <= 3_653:
            raise Invalid.of("days", "must be a whole number from 1 to 3653")
        return int(text)

    def filters(self) -> Filters:
        """Returns the filters. Raises Invalid."""
        return Filters(**self.chosen())

    def chosen(self) -> dict[str, str]:
        """Returns the filters that are set, by name."""
        return given_filters(self.params)


def _url(path: str, params: Mapping[str, object]) -> str:
    query = urlencode([(name, str(value)) for name, value in params.items() if value is not None])
    return f"{path}?{query}" if query else path
