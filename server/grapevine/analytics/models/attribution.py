"""Attribution: which shares a conversion is owed to. Pure arithmetic over whole numbers, so that every sum is exact.

A conversion's *touches* are the returns of its chain, from the first visit to the one that reached the goal: each
stands for the share it came through. A model weighs them:

    first       all to the first touch, which brought the chain in
    last        all to the last one, which brought this visitor
    linear      the same to each
    position    40 % to the first, 40 % to the last, 20 % to all between them alike; half and half where there are two

Self-returns are no touches; a conversion whose chain has none is owed to no share. Amounts are split in millionths (of
a conversion, of a currency) by the method of the largest remainder (Hamilton): every touch gets its part rounded down,
and the rest goes one by one to the touches that lost most by that, of equals to the earlier one. So the parts of one
conversion are less than a millionth away from the exact shares, and always add up to it.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

import msgspec

from grapevine.analytics.links import LinkNames
from grapevine.analytics.metrics import ReporterTotals
from grapevine.domain.money import MILLION, Amounts

MODELS: Final = ("first", "last", "linear", "position")

Share = tuple[int, int, int]
"""A share as its token names it: visit, channel, n."""

Conversion = tuple[tuple[Share, ...], str | None, int | None]
"""The shares of its touches, the first one first; its currency and its value in millionths."""

_PAIR: Final = 2
K = TypeVar("K")


class Credit(msgspec.Struct):
    """The credit of one key: millionths of conversions, and of their value by currency."""

    conversions: int = 0
    worth: dict[str, int] = {}  # msgspec copies it for each

    def add(self, conversions: int, currency: str | None, worth: int | None) -> None:
        """Adds a part of a conversion."""
        self.conversions += conversions
        if currency is not None and worth is not None:
            self.worth[currency] = self.worth.get(currency, 0) + worth

    def merge(self, other: Credit) -> None:
        """Adds all credit of ``other``."""
        self.conversions += other.conversions
        for currency, worth in other.worth.items():
            self.worth[currency] = self.worth.get(currency, 0) + worth


class CreditRow(msgspec.Struct, frozen=True):
    """The credit of one channel or page."""

    key: str
    """The channel, or the URL of the page; `(other)` adds up those beyond `limit`."""
    conversions: str
    """Its part of the conversions, in millionths."""
    value: Amounts
    """Its part of their value by currency."""


class ShareCredit(msgspec.Struct, frozen=True):
    """The credit of one share."""

    key: str
    """Its token; `(other)` adds up the shares beyond `limit`."""
    channel: str | None
    """Its channel; null for `(other)`."""
    url: str | None
    """The shared page; null when it is not known any more."""
    conversions: str
    """Its part of the conversions, in millionths."""
    value: Amounts
    """Its part of their value by currency."""
    link: LinkNames | None
    """The minted link whose token it is; null for what visitors shared."""


class Unshared(msgspec.Struct, frozen=True):
    """Conversions whose chain holds no return, so that no share led to them."""

    conversions: str
    """How many."""
    value: Amounts
    """Their value by currency."""


class Refunds(msgspec.Struct, frozen=True):
    """What was taken back of conversions, of the period or before."""

    refunds: int
    """How many."""
    value: Amounts
    """Their value by currency, below 0; it is a part of all other values."""


class Attribution(msgspec.Struct, frozen=True, omit_defaults=True):
    """Conversions and their value, credited to channels, pages and shares.

    Together with ``without_share``, each of the three lists adds up to ``conversions`` and ``value``; after a cursor,
    the lists of pages and shares are what is left of them.
    """

    model: str
    """The model."""
    conversions: int
    """Goals that were reached."""
    value: Amounts
    """Their value by currency."""
    truncated: int
    """Conversions whose chain begins before the oldest stored visit; their known part is credited."""
    without_share: Unshared
    """Conversions whose chain holds no return, so that no share led to them."""
    channels: list[CreditRow]
    """The credit by channel."""
    pages: list[CreditRow]
    """The credit by shared page."""
    shares: list[ShareCredit]
    """The credit by share."""
    conversions_by: dict[str, ReporterTotals]
    """Conversions and value by who reported them: `key` (your own server) or `page` (a browser)."""
    refunded: Refunds | None = None
    """Refunds, whose value is taken off everywhere; absent where there is none."""
    next: str | None = None
    """The cursor of the pages and shares that follow; absent where these are all."""


def weights(model: str, touches: int) -> list[int]:
    """Returns the weight of each touch, the first one first. Raises KeyError for an unknown model."""
    if touches == 0:
        return []
    inner = touches - _PAIR
    return {
        "first": [1] + [0] * (touches - 1),
        "last": [0] * (touches - 1) + [1],
        "linear": [1] * touches,
        # 40 : 20 ÷ inner : 40, in whole numbers.
        "position": [2 * inner, *[1] * inner, 2 * inner] if inner > 0 else [1] * touches,
    }[model]


def split(amount: int, weighing: Sequence[int]) -> list[int]:
    """``amount`` in parts as ``weighing`` says (at least one weight above 0, none below); they add up to it exactly."""
    whole = sum(weighing)
    size = abs(amount)
    parts = [size * weight // whole for weight in weighing]
    left = size - sum(parts)
    if left:
        lost = [size * weight % whole for weight in weighing]
        for index in sorted(range(len(parts)), key=lost.__getitem__, reverse=True)[:left]:  # equals keep their order
            parts[index] += 1
    return parts if amount >= 0 else [-part for part in parts]


def credit(
    model: str, conversions: Iterable[Conversion], refunds: Iterable[Conversion] = ()
) -> dict[Share | None, Credit]:
    """Returns the credit of each share; the key None holds the credit without a share.

    A refund is split as its conversion was, which makes its parts of a value below 0, and is no part of a conversion.
    """
    owed: dict[Share | None, Credit] = {}
    known: dict[int, tuple[list[int], list[int]]] = {}
    for some, whole in ((conversions, 1), (refunds, 0)):
        for touches, currency, worth in some:
            if not touches:
                owed.setdefault(None, Credit()).add(whole * MILLION, currency, worth)
                continue
            if len(touches) not in known:  # chains are many, their lengths few
                weighing = weights(model, len(touches))
                known[len(touches)] = weighing, split(MILLION, weighing)
            weighing, parts = known[len(touches)]
            values = [None] * len(parts) if worth is None else split(worth, weighing)
            for share, weight, part, value in zip(touches, weighing, parts, values, strict=True):
                if weight:
                    owed.setdefault(share, Credit()).add(whole * part, currency, value)
    return owed


def added(credits_of: Iterable[tuple[K, Credit]]) -> dict[K, Credit]:
    """Returns credits by key, added up where keys are equal."""
    total: dict[K, Credit] = {}
    for key, owed in credits_of:
        total.setdefault(key, Credit()).merge(owed)
    return total


def number(millionths: int) -> str:
    """Returns millionths as an exact decimal without useless zeros: 1500000 → ``1.5``."""
    whole, rest = divmod(millionths, MILLION)
    return f"{whole}.{rest:06d}".rstrip("0") if rest else str(whole)
