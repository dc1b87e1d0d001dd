"""Settles the conversions of a period: what each referrer is credited, and what of it is held back and why.

Pure: the same conversions, reach and terms give the same result, in whatever order they come.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

from grapevine.referrals.credit import Hop, budget_of, credit_hops
from grapevine.referrals.marks import BURST, SAME_NETWORK, ReferrerReach, burst_times, reach_marks
from grapevine.referrals.terms import Terms

ASSUMED_RATE: Final = 0.05
"""Conversions for each network-day where a programme has too few to compare with."""
MANY_BUYERS: Final = 3
"""Visits of one network on one day in which a referrer has conversions, from which on that is a mark."""
_LEAST_COMPARED: Final = 200
_NO_REACH: Final = ReferrerReach(visits=0, network_days=0, days=0, beyond=0, shared=0)


class ReferredConversion(msgspec.Struct, frozen=True, kw_only=True):
    """A conversion below the link of a referrer. A refund is one with a negative ``value``."""

    referrer: str
    key: tuple[int, str, int]
    """Visit, goal and key of its event: what it is in the store."""
    name: str | None
    """The id that the reporter gave it."""
    at: int
    value: int | None
    currency: str | None
    hops: tuple[Hop, ...]
    """The one that brought the buyer first; the last one is the referrer's link."""
    marks: frozenset[str]
    """Those of its chain."""
    day: int
    network: int | None
    """The buyer's wide network, by its hash of that day."""
    refunds: str | None = None
    """The ``name`` of the conversion that it takes back, which has the same visit and goal."""
    refunded: ReferredConversion | None = None
    """That conversion, where it lies before the period."""

    @property
    def place(self) -> tuple[int, str, str | None]:
        """Visit, goal and id: what a refund names."""
        return self.key[0], self.key[1], self.refunds or self.name


class Settled(msgspec.Struct, frozen=True):
    """A conversion or refund with what its referrer earns by it, in millionths of ``currency``."""

    conversion: ReferredConversion
    currency: str | None
    credited: int
    held: bool
    marks: tuple[str, ...]
    """All marks, in alphabetical order: those of its chain, of its time and place, and of its referrer."""


def settle(
    conversions: Iterable[ReferredConversion], reach: Mapping[str, ReferrerReach], terms: Terms
) -> list[Settled]:
    """Returns what each conversion earns, by time.

    A refund shares the fate of its conversion where both lie in the period. Otherwise it is taken off what is paid,
    since the conversion was paid or released before.
    """
    ordered = sorted(conversions, key=lambda one: (one.at, one.key))
    bought = [one for one in ordered if one.refunds is None]
    marked = _marks(bought, reach, terms)
    earned: dict[tuple[int, str, int], Settled] = {}
    origins: dict[tuple[int, str, str | None], Settled] = {}
    for one in bought:
        marks = marked[one.key]
        held = bool(terms.hold_at) and len(marks) >= terms.hold_at
        row = earned[one.key] = _settled(one, terms, budget_of(one.value, terms.rate, terms.fixed), held, marks)
        if one.name is not None:
            origins[one.place] = row
    return [earned[one.key] if one.refunds is None else _refund(one, origins.get(one.place), terms) for one in ordered]


def _refund(one: ReferredConversion, origin: Settled | None, terms: Terms) -> Settled:
    """Settles a refund; ``origin`` is what it takes back, None where that is not of the period."""
    held, marks = (origin.held, origin.marks) if origin else (False, ())
    budget = _taken_back(one, origin.conversion if origin else one.refunded, terms)
    return _settled(one, terms, budget, held, marks)


def _settled(one: ReferredConversion, terms: Terms, budget: int, held: bool, marks: Sequence[str]) -> Settled:
    credited = sum(
        each.amount for each in credit_hops(one.hops, budget, terms.passed_on) if each.hop.referrer == one.referrer
    )
    currency = terms.currency if terms.fixed is not None else one.currency
    return Settled(conversion=one, currency=currency, credited=credited, held=held, marks=tuple(marks))


def _taken_back(refund: ReferredConversion, origin: ReferredConversion | None, terms: Terms) -> int:
    """Returns the budget of a refund: of a fixed amount the same part that was taken back of the value."""
    if terms.fixed is None or refund.value is None:
        return budget_of(refund.value, terms.rate, None)
    if origin is None or not origin.value:
        return 0
    return -(terms.fixed * min(-refund.value, origin.value) // origin.value)


def _marks(
    bought: Sequence[ReferredConversion], reach: Mapping[str, ReferrerReach], terms: Terms
) -> dict[tuple[int, str, int], list[str]]:
    by_referrer: dict[str, list[ReferredConversion]] = defaultdict(list)
    for one in bought:
        by_referrer[one.referrer].append(one)
    usual = usual_rate({name: len(found) for name, found in by_referrer.items()}, reach, terms)
    marked: dict[tuple[int, str, int], list[str]] = {}
    for name, found in by_referrer.items():
        shared = reach_marks(reach.get(name, _NO_REACH), len(found), usual, terms.limits)
        bursts = burst_times(one.at for one in found)
        places = Counter({(one.day, one.network, one.key[0]) for one in found if one.network is not None})
        networks = Counter((day, network) for day, network, _ in places)
        for one in found:
            marks = set(one.marks) | shared
            if one.at in bursts:
                marks.add(BURST)
            if one.network is not None and networks[one.day, one.network] >= MANY_BUYERS:
                marks.add(SAME_NETWORK)
            marked[one.key] = sorted(marks)
    return marked


def usual_rate(conversions: Mapping[str, int], reach: Mapping[str, ReferrerReach], terms: Terms) -> float:
    """Returns the conversions for each network-day of those referrers whose reach is wide."""
    wide = [name for name in conversions if reach.get(name, _NO_REACH).beyond >= terms.limits.least_beyond]
    days = sum(reach[name].network_days for name in wide)
    return sum(conversions[name] for name in wide) / days if days >= _LEAST_COMPARED else ASSUMED_RATE
