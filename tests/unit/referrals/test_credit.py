"""The rule of credits: exact, within the budget at any depth, and worth no split."""

from __future__ import annotations

import itertools
import random
from typing import Final

import pytest

from grapevine.domain.money import MILLION
from grapevine.referrals.credit import HALF, MOST_HOPS, Hop, budget_of, credit_hops

BUDGETS: Final = (1, 7, 999_999, 5 * MILLION, 123_456_789, 10**15)
PARTS: Final = (0, 1, 250_000, HALF, 666_667, 999_999, MILLION)


def hops(many: int) -> list[Hop]:
    """A chain of so many hops."""
    return [Hop(depth=many - index, channel="copy", referrer=str(index)) for index in range(many)]


def amounts(many: int, budget: int, passed_on: int) -> list[int]:
    """The credits of so many hops."""
    return [one.amount for one in credit_hops(hops(many), budget, passed_on)]


def test_each_of_two_has_a_half_and_each_of_three_a_quarter() -> None:
    assert amounts(1, 8, HALF) == [8]
    assert amounts(2, 8, HALF) == [4, 4]
    assert amounts(3, 8, HALF) == [2, 2, 2]
    assert amounts(2, 8, 250_000) == [6, 2]
    assert amounts(0, 8, HALF) == []


def test_credits_never_exceed_the_budget_and_a_refund_takes_back_exactly_what_was_credited() -> None:
    for many, budget, passed_on in itertools.product((1, 2, 3, 5, 17, 64, 200), BUDGETS, PARTS):
        found = amounts(many, budget, passed_on)
        assert len(found) == many
        assert all(amount >= 0 for amount in found)
        assert sum(found) <= budget
        assert amounts(many, -budget, passed_on) == [-amount for amount in found]
    assert sum(amounts(MOST_HOPS + 1, 10**18, MILLION)) == 0  # what is passed on ends


def test_whoever_appears_as_several_hops_is_credited_no_more() -> None:
    chance = random.Random(5)  # noqa: S311
    for many, passed_on in itertools.product((1, 2, 3, 6), PARTS):
        budget = chance.choice(BUDGETS)
        alone = amounts(many, budget, passed_on)
        for at, copies in itertools.product(range(many), (2, 3, 4, 9)):
            split = amounts(many + copies - 1, budget, passed_on)
            assert sum(split[at : at + copies]) <= alone[at]


@pytest.mark.parametrize(
    ("value", "rate", "fixed", "budget"),
    [
        (49 * MILLION, 100_000, None, 4_900_000),
        (-49 * MILLION, 100_000, None, -4_900_000),
        (None, 100_000, None, 0),
        (19, 100_000, None, 1),
        (-19, 100_000, None, -1),
        (None, None, 5 * MILLION, 5 * MILLION),
    ],
)
def test_the_budget_is_a_part_of_the_value_or_a_fixed_amount(
    value: int | None, rate: int | None, fixed: int | None, budget: int
) -> None:
    assert budget_of(value, rate, fixed) == budget
