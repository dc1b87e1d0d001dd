"""Query parameters that several calls take: a period, filters. The struct of a call inherits from these."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Annotated

import msgspec

from grapevine.analytics.metrics import FILTERS, LONGEST_APP, Filters
from grapevine.domain import channels, enums, ids
from grapevine.domain.periods import DEFAULT_DAYS, Period


class NoQuery(msgspec.Struct, frozen=True):
    """A call without query parameters of its own."""


class PeriodQuery(msgspec.Struct, frozen=True, kw_only=True, rename={"first": "from", "last": "to"}):
    """The days that are asked about, in UTC."""

    first: Annotated[date | None, msgspec.Meta(examples=["2026-11-01"])] = None
    """The first day, in UTC; without it, the period has 30 days and ends with `to`."""
    last: Annotated[date | None, msgspec.Meta(examples=["2026-11-30"])] = None
    """The last day, in UTC, which is included; without it, today."""

    def period(self, now: int) -> Period:
        """Returns the days asked about; the default end is the day of ``now`` (milliseconds). Raises Invalid."""
        last = self.last or ids.day_date(ids.day_at(now))
        first = self.first or last - min(timedelta(days=DEFAULT_DAYS - 1), last - date.min)
        return Period(first, last)


class FilterQuery(PeriodQuery, frozen=True, kw_only=True):
    """A period, and the part of a site's numbers that is asked about."""

    page: Annotated[str | None, msgspec.Meta(examples=["https://www.example.com/bread"])] = None
    """Only visits whose first page has this URL; for shares, the first page of the sharing visit."""
    channel: Annotated[str | None, msgspec.Meta(extra_json_schema={"enum": [*channels.CODES]})] = None
    """Only visits that arrived through this channel; for shares, the channel they were made on."""
    source: Annotated[str | None, msgspec.Meta(extra_json_schema={"enum": [*enums.SOURCES]})] = None
    """Only visits from this source."""
    device: Annotated[str | None, msgspec.Meta(extra_json_schema={"enum": [*enums.DEVICES]})] = None
    """Only visits with this kind of device."""
    app: Annotated[str, msgspec.Meta(examples=["instagram"], min_length=1, max_length=LONGEST_APP)] | None = None
    """Only visits that came from this app: in its own browser, or by a link that names it, as in the breakdown by app;
    for shares and link previews, the app of the sharing visit."""

    def filters(self) -> Filters:
        """Returns the filters that every statistic takes. Raises Invalid for a name that is in no closed set."""
        return Filters(**{name: getattr(self, name) for name in FILTERS})
