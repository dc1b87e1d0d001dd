"""Arguments of calls as the API reads them."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal, InvalidOperation
from typing import TypedDict
from urllib.parse import parse_qsl, urlsplit

from grapevine.client.call import QueryValue

Day = date | str
"""A day, as a date or as a text such as ``2026-11-21``."""


class FilterParams(TypedDict, total=False):
    """Which part of the numbers is asked for; see the API's filters."""

    page: str
    channel: str
    source: str
    device: str
    app: str


def asked(
    first: Day | None, last: Day | None, filters: FilterParams | None = None, **others: QueryValue
) -> dict[str, QueryValue]:
    """Returns the query of a call about a period."""
    chosen: dict[str, QueryValue] = dict(filters or {})  # type: ignore[arg-type]
    return {"from": first, "to": last, **chosen, **others}


def query_of(link: str | None) -> dict[str, QueryValue]:
    """Returns the query of a link to a further page."""
    return {} if link is None else dict(parse_qsl(urlsplit(link).query))


def amount(value: Decimal | float | str) -> Decimal:
    """Returns an amount of money. Raises ValueError."""
    try:
        return Decimal(str(value))  # a float as it is written, not as it is stored
    except InvalidOperation:
        raise ValueError(f"value must be a decimal number such as 49.00, not {value!r}") from None


def time_text(at: datetime) -> str:
    """Returns a time in RFC 3339. Raises ValueError where it has no time zone."""
    if at.tzinfo is None:
        raise ValueError("at has no time zone; write datetime.now(UTC), or a text such as 2026-11-21T09:30:00Z")
    return at.isoformat()
