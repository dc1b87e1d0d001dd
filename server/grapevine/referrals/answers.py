"""What a programme owes its referrers, as the API and the command line say it."""

from __future__ import annotations

import msgspec

from grapevine.domain.money import Amounts


class PayoutRule(msgspec.Struct, frozen=True, kw_only=True):
    """The terms by which pay-outs were computed."""

    rate: str | None
    """The part of a conversion's value that is its budget; null for a fixed amount."""
    fixed: Amounts
    """The amount that is the budget of each conversion; empty for a part of the value."""
    pass_on: str
    """The part of a credit that goes to the hop before."""
    hold: int
    """How many marks hold a payment; 0: none is held."""
    networks: int
    """How many networks somebody who cheats is thought to have at hand."""


class PayoutGeneration(msgspec.Struct, frozen=True):
    """What lies at one depth below a referrer's links."""

    depth: int
    """How many shares it is away from the link, which is the first of them."""
    visits: int
    """All visits of that depth so far, without self-returns; 63 stands for all greater depths."""
    conversions: int
    """The conversions of the period in visits of that depth."""


class HeldConversion(msgspec.Struct, frozen=True, kw_only=True):
    """A conversion whose credit is held back."""

    id: str | None
    """The id that your server gave it."""
    goal: str
    """The goal that was reached."""
    at: str
    """When it was."""
    visit: str
    """The visit that converted, as the exports have it."""
    held: Amounts
    """What its referrer would be paid, refunds not taken off."""
    marks: list[str]
    """What speaks against paying it."""


class ReferrerPayout(msgspec.Struct, frozen=True, kw_only=True):
    """What one referrer earned in the period."""

    external_id: str
    """The name of the referrer: the `external_id` of their minted links."""
    conversions: int
    """Conversions in visits below the links. Refunds are none."""
    refunds: int
    """Conversions that were taken back in part or whole."""
    value: Amounts
    """The value of both together by currency."""
    credited: Amounts
    """What is to be paid by currency, refunds taken off; below 0 where more was taken back than earned."""
    held: Amounts
    """What is held back."""
    held_conversions: int
    """Conversions whose credit is held back."""
    held_first: list[HeldConversion]
    """The first 20 of them, by time."""
    marks: dict[str, int]
    """How many of the conversions have each mark. A mark alone holds nothing."""
    network_days: int
    """From how many networks the visits below the links came, each counted once a day; of the period and the 30 days
    before it."""
    generations: list[PayoutGeneration]
    """Reach and conversions by depth."""


class Payouts(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What a programme owes its referrers for a period, those with the smallest names first."""

    rule: PayoutRule
    """The terms."""
    conversions: int
    """The conversions of all referrers."""
    value: Amounts
    """Their value by currency, refunds taken off."""
    credited: Amounts
    """What is to be paid to all referrers."""
    held: Amounts
    """What is held back of all."""
    referrers: list[ReferrerPayout]
    """Each referrer with a conversion or a refund in the period."""
    next: str | None = None
    """The cursor of the referrers that follow; absent where these are all."""
