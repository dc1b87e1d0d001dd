"""Checks of a conversion's fields; amounts of money are read without floating point."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, NamedTuple

from grapevine.collect.schemas import ConversionRequest, KeyedConversionRequest, check_nonce
from grapevine.domain import money
from grapevine.domain.currencies import currency_code
from grapevine.domain.events import RefundRefused
from grapevine.domain.money import MILLION
from grapevine.errors import FieldError, Invalid

MOST_GOAL: Final = 64
MOST_ID: Final = 128
MOST_VALUE: Final = 1_000_000_000

_PLACES: Final = 6
_LONGEST: Final = 40


class Goal(NamedTuple):
    """The goal of a conversion. ``once`` identifies the conversion in its site, ``value`` is in millionths.

    A refund says in ``refund_of`` and ``refunds`` what it takes back: the ``external_id`` and the ``once`` of that.
    """

    name: str
    once: str
    external_id: str | None
    value: int | None
    currency: str | None
    refund_of: str | None = None
    refunds: str | None = None


def read_goal(request: ConversionRequest | KeyedConversionRequest, errors: list[FieldError]) -> Goal:
    """Returns the goal of a request; adds invalid fields to ``errors``."""
    name = request.goal.strip()
    if not 1 <= len(name) <= MOST_GOAL or not name.isprintable():
        errors.append(FieldError("goal", f"must be a name of 1 to {MOST_GOAL} printable characters"))
    external_id, refund_of = _id("id", request.id, errors), _id("refund_of", request.refund_of, errors)
    if request.nonce is not None:
        errors += check_nonce(request.nonce)
    elif external_id is None:
        errors.append(FieldError("id", "is needed where there is no `nonce`, so that the call may be repeated"))
    is_refund = refund_of is not None and isinstance(request, KeyedConversionRequest)
    if refund_of is not None:
        _check_refund(request, external_id, refund_of, errors)
    value = None if request.value is None else _millionths(request.value, errors, is_refund=is_refund)
    currency = None if request.value is None else _currency(request.currency, errors)
    once = f"nonce {request.nonce}" if external_id is None else once_of_id(name, external_id)
    refunds = once_of_id(name, refund_of) if is_refund and refund_of is not None else None
    return Goal(name, once, external_id, value, currency, refund_of if is_refund else None, refunds)


def once_of_id(goal: str, external_id: str) -> str:
    """Returns what tells a conversion that was reported with an id from every other one of its site.

    The length keeps a goal "a b" with the id "c" apart from a goal "a" with the id "b c".
    """
    return f"id {len(goal)} {goal} {external_id}"


def refund_error(outcome: RefundRefused) -> Invalid:
    """Returns what is wrong with a refund, or with a report with a key of what was refunded before."""
    amount = f"{money.decimal(abs(outcome.amount))} {outcome.currency}"
    match outcome.why:
        case "unknown":
            return Invalid.of("refund_of", "is the id of no conversion of this goal that is stored here")
        case "gone":
            return Invalid.of(
                "refund_of", "is the id of a conversion whose visit is not here any more: erased, or past retention"
            )
        case "refund":
            return Invalid.of("refund_of", "is the id of a refund; only what was paid can be taken back")
        case "no-value":
            return Invalid.of("refund_of", "is the id of a conversion without a value: there is nothing to take back")
        case "currency":
            return Invalid.of("currency", f"must be {outcome.currency}, as that of what is taken back")
        case "too-much":
            return Invalid.of("value", f"takes back more than is left of the conversion, {amount}")
        case "early":
            return Invalid.of("at", "is more than a day before what it takes back")
        case "refunded-currency":
            return Invalid.of(
                "currency", f"must be {outcome.currency}: {amount} of this conversion were refunded before"
            )
        case "refunded":
            return Invalid.of("value", f"is less than what was refunded of this conversion before, {amount}")


def _id(field: str, given: str | int | None, errors: list[FieldError]) -> str | None:
    text = None if given is None else str(given).strip()
    if text is not None and not (1 <= len(text) <= MOST_ID and text.isprintable()):
        errors.append(FieldError(field, f"must be 1 to {MOST_ID} printable characters"))
    return text


def _check_refund(
    request: ConversionRequest | KeyedConversionRequest,
    external_id: str | None,
    refund_of: str,
    errors: list[FieldError],
) -> None:
    if isinstance(request, ConversionRequest):
        errors.append(FieldError("refund_of", "is taken with an API key alone: a page cannot take money back"))
    elif refund_of == external_id:
        errors.append(FieldError("id", "is that of what it takes back; a refund needs an id of its own"))
    elif request.value is None:
        errors.append(FieldError("value", "is needed for a refund: what it takes back, such as -49.00"))


def _millionths(value: Decimal, errors: list[FieldError], *, is_refund: bool) -> int:
    if is_refund:
        if not value.is_finite() or not -MOST_VALUE <= value < 0:
            errors.append(
                FieldError("value", f"must be below 0 and at least -{MOST_VALUE} for a refund, such as -49.00")
            )
            return 0
    elif not value.is_finite() or not 0 <= value <= MOST_VALUE:
        errors.append(FieldError("value", f"must be a decimal number from 0 to {MOST_VALUE}, such as 49.00"))
        return 0
    sign, digits, exponent = value.as_tuple()
    number, rest = 0, 1
    if isinstance(exponent, int) and abs(exponent) <= _LONGEST:
        # Whole numbers alone: Decimal's own arithmetic rounds to the digits of its context.
        for digit in digits:
            number = number * 10 + digit
        number, rest = divmod(number * MILLION * 10 ** max(exponent, 0), 10 ** max(-exponent, 0))
    if rest:
        errors.append(FieldError("value", f"must have at most {_PLACES} decimal places"))
    return -number if sign else number


def _currency(text: str | None, errors: list[FieldError]) -> str:
    code = currency_code(text or "")
    if code is None:
        errors.append(
            FieldError("currency", "must be a current code of ISO 4217, such as EUR or USD, where there is a value")
        )
        return ""
    return code
