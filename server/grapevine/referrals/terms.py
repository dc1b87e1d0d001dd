"""The terms of a programme: what a conversion earns, how it is passed on, and when a payment is held."""

from __future__ import annotations

from decimal import Decimal, InvalidOperation
from typing import Final

import msgspec

from grapevine.domain.currencies import CURRENCIES
from grapevine.domain.money import MILLION
from grapevine.errors import FieldError, Invalid
from grapevine.referrals.credit import HALF
from grapevine.referrals.marks import MARKS, ReachLimits

TENTH: Final = MILLION // 10
HIGHEST_FIXED: Final = 1_000_000 * MILLION
MOST_MARKS: Final = len(MARKS)
MOST_NETWORKS: Final = 1_000
_LONGEST: Final = 40


class Terms(msgspec.Struct, frozen=True, kw_only=True):
    """What a programme pays. Either ``rate`` or ``fixed`` with its ``currency`` is given."""

    rate: int | None = None
    """The part of a conversion's value, in millionths."""
    fixed: int | None = None
    """An amount for each conversion, in millionths of ``currency``."""
    currency: str | None = None
    passed_on: int = HALF
    """The part of a credit that goes to the hop before, in millionths."""
    limits: ReachLimits = ReachLimits()
    hold_at: int = 2
    """How many marks hold a payment; 0 holds none."""

    def checked(self) -> Terms:
        """Returns the terms, with a tenth of the value where they name no amount. Raises Invalid."""
        wrong: list[FieldError] = []
        if self.rate is not None and self.fixed is not None:
            wrong.append(FieldError("rate", "and `fixed` exclude each other: name one of them"))
        if self.rate is not None and not 0 <= self.rate <= MILLION:
            wrong.append(FieldError("rate", "must be from 0 to 1, a part of the value"))
        if self.fixed is not None and not 0 <= self.fixed <= HIGHEST_FIXED:
            wrong.append(FieldError("fixed", "must be from 0 to 1000000"))
        if (self.fixed is None) is not (self.currency is None):
            wrong.append(FieldError("currency", "belongs to `fixed`: name both or neither"))
        elif self.currency is not None and self.currency not in CURRENCIES:
            wrong.append(FieldError("currency", f"{self.currency!r} is no currency of ISO 4217, such as EUR"))
        if not 0 <= self.passed_on <= MILLION:
            wrong.append(FieldError("pass_on", "must be from 0 to 1"))
        if wrong:
            raise Invalid.of_all(wrong)
        return msgspec.structs.replace(self, rate=TENTH) if self.rate is None and self.fixed is None else self


def terms_of(
    *,
    rate: str | None,
    fixed: str | None,
    currency: str | None,
    pass_on: str | None,
    hold: int,
    networks: int,
) -> Terms:
    """Returns the terms that somebody typed, amounts as decimal numbers. Raises Invalid with all that is wrong."""
    wrong: list[FieldError] = []
    terms = Terms(
        rate=_millionths("rate", rate, wrong),
        fixed=_millionths("fixed", fixed, wrong),
        currency=None if currency is None else currency.upper(),
        passed_on=HALF if pass_on is None else _millionths("pass_on", pass_on, wrong) or 0,
        limits=ReachLimits(assumed_networks=networks),
        hold_at=hold,
    )
    if wrong:
        raise Invalid.of_all(wrong)
    return terms.checked()


def _millionths(field: str, text: str | None, wrong: list[FieldError]) -> int | None:
    if text is None:
        return None
    try:
        value = Decimal(text if len(text) <= _LONGEST else "") * MILLION
    except InvalidOperation:
        wrong.append(FieldError(field, f"must be a decimal number such as 0.1, not {text[:_LONGEST]!r}"))
        return None
    if not value.is_finite() or value != value.to_integral_value() or abs(value) > HIGHEST_FIXED * MILLION:
        wrong.append(FieldError(field, "must be a number with at most six decimal places"))
        return None
    return int(value)
