"""The rule by which a conversion is credited over the hops of its chain. Pure arithmetic, exact in millionths.

The *hops* of a conversion are the shares that led to it, the one that brought the buyer first. Each has a sharer. With
``k`` hops, a budget ``B`` and the part ``q`` that is passed on, hop ``i`` (1…k) is credited

    B · q^(i − 1) · (1 − q)^(k − i)

With ``q`` = 1/2, one hop is credited the whole budget, each of two one half, each of three one quarter.

Two things are proven (docs/referrals.md has the proofs, both from the binomial theorem):

* The credits of a conversion never exceed its budget, whatever the depth: their sum is at most
  B · (q + (1 − q))^(k − 1) = B.
* It is split-proof along the chain: a person who appears as ``m`` hops instead of one is credited at most as much,
  whatever the others do.

The rewards of the red balloon challenge, which halve with each hop from the finder (Pickard et al. 2011), are not
split-proof. Emek, Karidi, Tennenholtz and Zohar (2011) name the problem; Drucker and Fleischer (2012) give other
mechanisms. A rule that is split-proof pays those more who together hide a hop, which this one does not prevent.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from typing import Final

import msgspec

from grapevine.domain.money import MILLION

MOST_HOPS: Final = 64
"""Hops nearest to the buyer that are credited. Beyond them a credit is below a millionth of a millionth."""

HALF: Final = MILLION // 2


class Hop(msgspec.Struct, frozen=True):
    """A share on the way to a conversion."""

    depth: int
    """The depth of the visit that it brought."""
    channel: str
    """How it was shared."""
    referrer: str | None
    """The `external_id` of the minted link; null for a share of a visitor, who has no name."""


class HopCredit(msgspec.Struct, frozen=True):
    """What a hop is credited, in millionths of the currency of the budget."""

    hop: Hop
    amount: int


def budget_of(value: int | None, rate: int | None, fixed: int | None) -> int:
    """Returns the budget of a conversion in millionths: ``rate`` (millionths) of its value, or the ``fixed`` amount.

    A value that was taken back is below 0, and so is its budget. A part of a millionth is left out.
    """
    if fixed is not None:
        return fixed
    amount = abs(value or 0) * (rate or 0) // MILLION
    return -amount if value is not None and value < 0 else amount


def credit_hops(hops: Sequence[Hop], budget: int, passed_on: int = HALF) -> list[HopCredit]:
    """Returns the credit of each hop, the one that brought the buyer first.

    ``budget`` is in millionths, negative for a refund, which takes back what was credited; ``passed_on`` (q) in
    millionths, from 0 to a million. The sum is at most the budget, in absolute amounts.
    """
    counted = hops[:MOST_HOPS]
    size, sign = abs(budget), 1 if budget >= 0 else -1
    last = len(hops) - 1
    part = Fraction(passed_on, MILLION)
    passed, kept, whole = part.numerator, part.denominator - part.numerator, part.denominator ** max(last, 0)
    credits_of = [
        HopCredit(hop=hop, amount=sign * (size * passed**index * kept ** (last - index) // whole))
        for index, hop in enumerate(counted)
    ]
    return credits_of + [HopCredit(hop=hop, amount=0) for hop in hops[MOST_HOPS:]]
