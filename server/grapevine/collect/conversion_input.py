"""Checks of a conversion's fields; amounts of money are read without floating point."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from grapevine.collect.schemas import ConversionRequest, KeyedConversionRequest, check_nonce
from grapevine.domain.currencies import currency_code
from grapevine.domain.money import MILLION
from grapevine.errors import FieldError

MOST_GOAL: Final = 64
MOST_ID: Final = 128
MOST_VALUE: Final = 1_000_000_000

_PLACES: Final = 6
_LONGEST: Final = 40


class Goal(NamedTuple):
    """The goal of a conversion. ``once`` identifies the conversion in its site, ``value`` is in millionths."""

    name: str
    once: str
    external_id: str | None
    value: int | None
    currency: str | None


def read_goal(request: ConversionRequest | KeyedConversionRequest, errors: list[FieldError]) -> Goal:
    """Returns the goal of a request; adds invalid fields to ``errors``."""
    name = request.goal.strip()
    if not 1 <= len(name) <= MOST_GOAL or not name.isprintable():
        errors.append(FieldError("goal", f"must be a name of 1 to {MOST_GOAL} printable characters"))
    external_id = None if request.id is None else str(request.id).strip()
    if external_id is not None and not (1 <= len(external_id) <= MOST_ID and external_id.isprintable()):
        errors.append(FieldError("id", f"must be 1 to {MOST_ID} printable characters"))
    if request.nonce is not None:
        errors += check_nonce(request.nonce)
    elif external_id is None:
        errors.append(FieldError("id", "is needed where there is no `nonce`, so that the call may be repeated"))
    value = None if request.value is None else _millionths(request.value, errors)
    currency = None if request.value is None else _currency(request.currency, errors)
    # The length keeps a goal "a b" with the id "c" apart from a goal "a" with the id "b c".
    once = f"nonce {request.nonce}" if external_id is None else f"id {len(name)} {name} {external_id}"
    return Goal(name, once, external_id, value, currency)


def _millionths(value: Decimal, errors: list[FieldError]) -> int:
    if not value.is_finite() or not 0 <= value <= MOST_VALUE:
        errors.append(FieldError("value", f"must be a decimal number from 0 to {MOST_VALUE}, such as 49.00"))
        return 0
    _, digits, exponent = value.as_tuple()
    number, rest = 0, 1
    if isinstance(exponent, int) and abs(exponent) <= _LONGEST:
        # Whole numbers alone: Decimal's own arithmetic rounds to the digits of its context.
        for digit in digits:
            number = number * 10 + digit
        number, rest = divmod(number * MILLION * 10 ** max(exponent, 0), 10 ** max(-exponent, 0))
    if rest:
        errors.append(FieldError("value", f"must have at most {_PLACES} decimal places"))
    return number


def _currency(text: str | None, errors: list[FieldError]) -> str:
    code = currency_code(text or "")
    if code is None:
        errors.append(
            FieldError("currency", "must be a current code of ISO 4217, such as EUR or USD, where there is a value")
        )
        return ""
    return code
