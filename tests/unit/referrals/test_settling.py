"""Conversions of a period are settled by the terms, refunds with what they take back, in whatever order they came."""

from __future__ import annotations

from itertools import permutations

from grapevine.referrals.credit import Hop
from grapevine.referrals.settling import ReferredConversion, settle
from grapevine.referrals.terms import Terms

EURO = 1_000_000


def conversion(key: int, at: int, value: int, **more: object) -> ReferredConversion:
    return ReferredConversion(
        **{
            "referrer": "anna",
            "key": (1, "order", key),
            "name": f"A{key}",
            "at": at,
            "value": value,
            "currency": "EUR",
            "hops": (Hop(depth=1, channel="link", referrer="anna"),),
            "marks": frozenset({"self", "same-visitor"}),
            "day": 0,
            "network": None,
            **more,
        }  # type: ignore[arg-type]
    )


def test_a_refund_that_is_said_to_be_earlier_than_its_held_sale_is_held_with_it() -> None:
    # Shops report days: a refund may be up to a day older than what it takes back.
    sale, refund = conversion(1, 5_000, 100 * EURO), conversion(2, 1_000, -40 * EURO, refunds="A1")
    for order in permutations((sale, refund)):
        for terms in (Terms(rate=100_000), Terms(fixed=5 * EURO, currency="EUR")):
            settled = settle(order, {}, terms)
            assert [row.held for row in settled] == [True, True]
            assert [row.conversion.at for row in settled] == [1_000, 5_000]
            assert settled[0].marks == settled[1].marks
            assert settled[0].credited == -settled[1].credited * 40 // 100
