"""Amounts of money: stored in millionths of a currency unit, shown as decimal strings."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

MILLION: Final = 1_000_000

Amounts = dict[str, str]
"""Decimal strings by ISO 4217 currency: ``{"EUR": "49.00"}``."""


def decimal(millionths: int) -> str:
    """An amount as an exact decimal with at least two places: 49000000 → ``49.00``, 1234500 → ``1.2345``."""
    units, rest = divmod(abs(millionths), MILLION)
    places = f"{rest:06d}".rstrip("0").ljust(2, "0")
    return f"{'-' if millionths < 0 else ''}{units}.{places}"


def amounts(sums: Iterable[tuple[str | None, int | None]]) -> Amounts:
    """Sums by currency as the contract writes them; what has no currency or no value is left out."""
    return {currency: decimal(total) for currency, total in sorted(_known(sums))}


def _known(sums: Iterable[tuple[str | None, int | None]]) -> Iterable[tuple[str, int]]:
    return ((currency, total) for currency, total in sums if currency is not None and total is not None)
