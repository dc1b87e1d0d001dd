"""Amounts of money: stored in millionths of a currency unit, shown as decimal strings.

One amount fits into 64 bits; a sum of some ten thousand need not. So SQL adds up whole units and millionths apart, as
``sum(value / 1000000)`` and ``sum(value % 1000000)``, and ``joined`` puts them together, exactly: that holds for nine
billion (2**63 ÷ 10**9 units) conversions of the largest value.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from grapevine.domain.currencies import CURRENCIES, NO_CURRENCY

MILLION: Final = 1_000_000
MOST_CURRENCIES: Final = 200

Amounts = dict[str, str]
"""Decimal strings by ISO 4217 currency: ``{"EUR": "49.00"}``."""


def decimal(millionths: int) -> str:
    """An amount as an exact decimal with at least two places: 49000000 → ``49.00``, 1234500 → ``1.2345``."""
    units, rest = divmod(abs(millionths), MILLION)
    places = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if millionths < 0 else ''}{units}.{places}"


def joined(units: int | None, millionths: int | None) -> int | None:
    """The sum of amounts whose whole units and millionths were added up apart; None where there was nothing to add."""
    return None if units is None or millionths is None else units * MILLION + millionths


def parted(total: int) -> tuple[int, int]:
    """A sum in millionths as whole units, rounded down, and the millionths (0…999999) above them."""
    return divmod(total, MILLION)


def amounts(sums: Iterable[tuple[str | None, int | None]]) -> Amounts:
    """Returns sums by currency as the contract writes them, those of one currency added up.

    Those without a currency or a value are left out.

    There are at most ``MOST_CURRENCIES``: conversions that were stored when any three letters were taken for a currency
    may have thousands of them. Beyond that, what is none of ISO 4217's is added up under its code for no currency.
    """
    known: dict[str, int] = {}
    for currency, total in sums:
        if currency is not None and total is not None:
            known[currency] = known.get(currency, 0) + total
    if len(known) > MOST_CURRENCIES:
        rest = sum(total for currency, total in known.items() if currency not in CURRENCIES)
        known = {currency: total for currency, total in known.items() if currency in CURRENCIES}
        known[NO_CURRENCY] = known.get(NO_CURRENCY, 0) + rest
    return {currency: decimal(total) for currency, total in sorted(known.items())}
