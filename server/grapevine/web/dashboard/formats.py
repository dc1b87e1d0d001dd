"""Numbers, times and names as people read them: no locale, thin spaces between thousands, – for unknown values."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, date, datetime
from decimal import ROUND_HALF_UP, Decimal
from typing import Final

from grapevine.domain.canonical_urls import readable
from grapevine.domain.money import Amounts

NOTHING: Final = "–"
THIN: Final = "\N{NARROW NO-BREAK SPACE}"
_MONTHS: Final = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SECOND: Final = 1000
_MINUTE: Final = 60 * _SECOND
_HOUR: Final = 60 * _MINUTE
_DAY: Final = 24 * _HOUR
_PAGE_LENGTH: Final = 80
_MOST_CURRENCIES: Final = 6
_CENT: Final = Decimal("0.01")


def number(value: int | None) -> str:
    """1234567 → ``1 234 567``."""
    return NOTHING if value is None else f"{value:,}".replace(",", THIN)


def ratio(value: float | None) -> str:
    """0.1234 → ``0.12``; a small one keeps two digits that say something: 0.00123 → ``0.0012``."""
    if value is None:
        return NOTHING
    if 0 < value < 0.1:
        return f"{value:.2g}" if value >= 0.0001 else "<0.0001"
    return f"{value:.2f}"


def times(value: float) -> str:
    """How many times as much: 3.14 → ``3.1``, 1234.5 → ``1 234``."""
    return number(round(value)) if value >= 100 else f"{value:.1f}"


def percent(value: float | None) -> str:
    """Returns a part of 1 as a percentage: 0.8742 → ``87.4 %``."""
    if value is None:
        return NOTHING
    if 0 < value < 0.001:
        return f"<0.1{THIN}%"
    if 0.999 < value < 1:
        return f">99.9{THIN}%"
    text = f"{value * 100:.1f}".removesuffix(".0")
    return f"{text}{THIN}%"


def money(value: Amounts) -> str:
    """``1 049.00 EUR, 12.50 USD``; of more than six currencies the six largest numbers, and how many others."""
    listed = value
    if len(value) > _MOST_CURRENCIES:
        largest = sorted(value, key=lambda currency: -Decimal(value[currency]))[:_MOST_CURRENCIES]
        listed = {currency: value[currency] for currency in sorted(largest)}
    more = (
        f" and {count(len(value) - len(listed), 'other currency', 'other currencies')}" if listed is not value else ""
    )
    return ", ".join(f"{_spaced(amount)}{THIN}{currency}" for currency, amount in listed.items()) + more or NOTHING


def credit(value: str | Decimal) -> str:
    """A part of conversions, to two places: ``1234.333334`` → ``1 234.33``, ``2`` → ``2``."""
    return _places(value).removesuffix(".00")


def amount(value: str | None) -> str:
    """An exact amount to two places, as most currencies have them: ``1234.565`` → ``1 234.57``."""
    return NOTHING if value is None else _places(value)


def _places(value: str | Decimal) -> str:
    exact = Decimal(value)
    if 0 < abs(exact) < _CENT / 2:
        return f"<{_CENT}"
    return _spaced(exact.quantize(_CENT, ROUND_HALF_UP))


def _spaced(value: str | Decimal) -> str:
    return f"{Decimal(value):,}".replace(",", THIN)


def calendar(day: date, *, year: bool = True) -> str:
    """Returns a date as text: ``21 Nov 2026``."""
    text = f"{day.day} {_MONTHS[day.month - 1]}"
    return f"{text} {day.year}" if year else text


def milliseconds(at: str) -> int:
    """The UTC milliseconds of one of our RFC 3339 texts."""
    return round(datetime.fromisoformat(at).timestamp() * _SECOND)


def moment(at: str | None) -> str:
    """An RFC 3339 text as ``21 Nov 2026, 14:03`` (UTC)."""
    if at is None:
        return NOTHING
    when = datetime.fromisoformat(at).astimezone(UTC)
    return f"{calendar(when.date())}, {when:%H:%M}"


def elapsed(since: str | None, at: str | None) -> str:
    """How long after ``since`` something happened, in its two largest units: ``2 h 5 min``."""
    if since is None or at is None:
        return NOTHING
    left = max(0, milliseconds(at) - milliseconds(since))
    units = ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (_SECOND, "s"))
    for index, (length, name) in enumerate(units):
        if left >= length:
            text = f"{left // length}{THIN}{name}"
            if index + 1 < len(units) and left % length >= units[index + 1][0]:
                smaller, smaller_name = units[index + 1]
                text += f" {left % length // smaller}{THIN}{smaller_name}"
            return text
    return f"0{THIN}s"


def page(url: str | int | None, origins: Sequence[str]) -> str:
    """Returns a page's URL as short as it stays clear, in the letters of its language: a long one is cut in the middle.

    On the first of the site's origins, it is the path alone.
    """
    if url is None:
        return NOTHING
    text = readable(str(url))
    path = text.removeprefix(readable(origins[0]).rstrip("/"))
    if path[:1] in "/?":
        text = path or "/"
    if len(text) > _PAGE_LENGTH:
        half = _PAGE_LENGTH // 2
        text = f"{text[:half]}…{text[1 - half :]}"
    return text


def count(value: int, one: str, many: str | None = None) -> str:
    """Returns a number with its noun: ``1 visit``, ``2 visits``."""
    return f"{number(value)} {one if value == 1 else many or one + 's'}"
