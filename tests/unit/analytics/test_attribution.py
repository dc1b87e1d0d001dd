"""The arithmetic of attribution: sums are exact, for every model and 1,000 random chains; for 10,000 among the slow."""

from __future__ import annotations

from fractions import Fraction
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from grapevine.analytics.models.attribution import MODELS, Conversion, added, credit, number, split, weights
from grapevine.domain.money import MILLION

SHARES = st.tuples(st.integers(1, 40), st.sampled_from((0, 7, 34)), st.integers(0, 7))
CHAINS: st.SearchStrategy[Conversion] = st.tuples(
    st.lists(SHARES, max_size=30, unique=True).map(tuple),
    st.sampled_from((None, "EUR", "JPY")),
    st.none() | st.integers(-(10**15), 10**15),
)


@pytest.mark.parametrize("chains", [1_000, pytest.param(10_000, marks=pytest.mark.slow)])
def test_the_credits_of_a_conversion_add_up_to_it_exactly(chains: int) -> None:
    @settings(max_examples=chains, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(chain=CHAINS, model=st.sampled_from(MODELS))
    def adds_up(chain: Conversion, model: str) -> None:
        touches, currency, worth = chain
        owed = credit(model, [chain])
        assert sum(one.conversions for one in owed.values()) == MILLION
        values = [one.worth.get(currency or "", 0) for one in owed.values()]
        assert sum(values) == (0 if currency is None or worth is None else worth)
        assert all(0 < one.conversions <= MILLION or any(one.worth.values()) for one in owed.values())
        assert set(owed) <= set(touches or [None])
        by_channel = added((share[1] if share else None, one) for share, one in owed.items())
        assert sum(one.conversions for one in by_channel.values()) == MILLION

    adds_up()


@settings(max_examples=1_000, deadline=None)
@given(amount=st.integers(-(10**18), 10**18), weighing=st.lists(st.integers(0, 10**6), min_size=1, max_size=50))
def test_no_part_is_a_millionth_away_from_what_is_due(amount: int, weighing: list[int]) -> None:
    weighing[0] += 1
    parts = split(amount, weighing)
    assert sum(parts) == amount
    for part, weight in zip(parts, weighing, strict=True):
        assert abs(part - Fraction(amount * weight, sum(weighing))) < 1
        assert weight or not part


@pytest.mark.parametrize("touches", range(1, 40))
def test_models_weigh_touches_as_they_say(touches: int) -> None:
    def part(model: str) -> list[Fraction]:
        weighing = weights(model, touches)
        return [Fraction(weight, sum(weighing)) for weight in weighing]

    assert part("first") == [1] + [0] * (touches - 1)
    assert part("last") == [0] * (touches - 1) + [1]
    assert part("linear") == [Fraction(1, touches)] * touches
    edges = {1: [Fraction(1)], 2: [Fraction(1, 2)] * 2}
    inner = [Fraction(1, 5 * (touches - 2))] * (touches - 2) if touches > 2 else []
    assert part("position") == edges.get(touches, [Fraction(2, 5), *inner, Fraction(2, 5)])


def test_no_touches_weigh_nothing_and_an_unknown_model_is_refused() -> None:
    assert [weights(model, 0) for model in MODELS] == [[]] * len(MODELS)
    with pytest.raises(KeyError):
        weights("taste", 2)


@pytest.mark.parametrize(
    ("amount", "weighing", "parts"),
    [
        (10, [1, 1, 1], [4, 3, 3]),
        (11, [1, 1, 1], [4, 4, 3]),
        (-10, [1, 1, 1], [-4, -3, -3]),
        (0, [1, 2], [0, 0]),
        (1, [1, 3], [0, 1]),
        (49_000_000, [2, 1, 2], [19_600_000, 9_800_000, 19_600_000]),
        (3, [0, 5, 0], [0, 3, 0]),
    ],
)
def test_the_remainder_goes_to_the_largest_loss_and_then_to_the_earlier(
    amount: int, weighing: list[int], parts: list[int]
) -> None:
    assert split(amount, weighing) == parts


def test_a_conversion_without_a_share_is_owed_to_none() -> None:
    found: list[Any] = [((), "EUR", 5), ((), None, None), (((1, 0, 0),), "EUR", 7)]
    owed = credit("linear", found)
    assert (owed[None].conversions, owed[None].worth) == (2 * MILLION, {"EUR": 5})
    assert (owed[1, 0, 0].conversions, owed[1, 0, 0].worth) == (MILLION, {"EUR": 7})


@pytest.mark.parametrize(
    ("millionths", "text"),
    [(0, "0"), (MILLION, "1"), (1_500_000, "1.5"), (333_334, "0.333334"), (10 * MILLION, "10"), (1, "0.000001")],
)
def test_numbers_are_exact_decimals(millionths: int, text: str) -> None:
    assert number(millionths) == text
    assert Fraction(text) * MILLION == millionths
