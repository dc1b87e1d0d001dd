"""Validation of a conversion's fields; money is parsed exactly."""

from __future__ import annotations

import json
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from grapevine.collect.conversion_input import Goal, read_goal
from grapevine.collect.schemas import ConversionRequest
from grapevine.domain.json_input import decode
from grapevine.domain.money import MILLION
from grapevine.errors import FieldError, Problem

USUAL: dict[str, Any] = {"site": "s", "session": "x", "goal": "order", "nonce": "n" * 16, "currency": "EUR"}


def read(body: bytes) -> tuple[Goal, list[FieldError]]:
    errors: list[FieldError] = []
    return read_goal(decode(body, ConversionRequest), errors), errors


def body(value: str, **fields: Any) -> bytes:
    """A request whose value stands there as it is."""
    return json.dumps(USUAL | fields)[:-1].encode() + f', "value": {value}}}'.encode()


@given(millionths=st.integers(0, 10**15), quoted=st.booleans())
def test_every_amount_is_read_as_it_is_written(millionths: int, quoted: bool) -> None:
    text = f"{millionths // MILLION}.{millionths % MILLION:06d}"
    goal, errors = read(body(f'"{text}"' if quoted else text))
    assert (goal.value, errors) == (millionths, [])


@pytest.mark.parametrize(
    "text",
    [
        "49",
        "49.00",
        "0",
        "0.000001",
        "4.9e1",
        "1E3",
        "1000000000",
        "999999999.999999",
        "1.10000000000000000000000",
        "-0",
    ],
)
def test_amounts_that_are_taken(text: str) -> None:
    for written in (text, f'"{text}"'):
        goal, errors = read(body(written))
        assert errors == []
        assert goal.value == Fraction(text) * MILLION


@pytest.mark.parametrize(
    "text",
    [
        "0.0000001", "0.30000000000000004", "-1", "1000000000.000001", "1e400", "1e-400", "1e999999999", "0e999999999",
        '"NaN"', '"-inf"', '"sNaN"', '"49,00"', '"1e-999999999"', '"EUR 5"', '""', "true", "[]", '"' + "9" * 5000 + '"',
        "1." + "0" * 5000 + "1",
    ],
)  # fmt: skip
def test_amounts_that_are_refused(text: str) -> None:
    try:
        _, errors = read(body(text))
        fields = [error.field for error in errors]
    except Problem as problem:
        fields = [error.field for error in problem.errors]
    assert fields == ["value"]


@pytest.mark.parametrize(
    ("fields", "wrong"),
    [
        ({"goal": ""}, ["goal"]), ({"goal": " "}, ["goal"]),
        ({"goal": "g" * 65}, ["goal"]), ({"goal": "a\nb"}, ["goal"]),
        ({"id": ""}, ["id"]), ({"id": "i" * 129}, ["id"]), ({"id": "a\tb"}, ["id"]), ({"nonce": "short"}, ["nonce"]),
        ({"currency": None}, ["currency"]), ({"currency": "EURO"}, ["currency"]), ({"currency": "€"}, ["currency"]),
        ({"currency": "ÄÖÜ"}, ["currency"]), ({"currency": "AAA"}, ["currency"]), ({"currency": "DEM"}, ["currency"]),
        ({"goal": "", "currency": "", "nonce": ""}, ["goal", "nonce", "currency"]),
    ],
)  # fmt: skip
def test_each_wrong_field_is_named(fields: dict[str, Any], wrong: list[str]) -> None:
    _, errors = read(body("1", **fields))
    assert [error.field for error in errors] == wrong


def test_names_are_trimmed_and_numbers_may_be_ids() -> None:
    goal, errors = read(body("1", goal=" order ", id=7, currency="eur"))
    assert (goal.name, goal.external_id, goal.currency, errors) == ("order", "7", "EUR", [])


def test_a_currency_without_a_value_is_nothing() -> None:
    goal, errors = read(json.dumps(USUAL).encode())
    assert (goal.value, goal.currency, errors) == (None, None, [])


def test_goals_and_ids_are_distinguished() -> None:
    first, _ = read(body("1", goal="a b", id="c"))
    second, _ = read(body("1", goal="a", id="b c"))
    third, _ = read(body("1", goal="a", nonce="b" * 16))
    assert len({first.once, second.once, third.once}) == 3
