"""Marks: facts that speak against paying for a conversion. None of them alone holds a payment.

Marks of a conversion are read from its chain, marks of a referrer from all visits below their links. A network has
another hash each day, so that networks are compared within a day only; a *network-day* is a network on a day.
Networks are wide ones (an IPv4 address, an IPv6 /48).
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

import msgspec

SELF: Final = "self"
SAME_VISITOR: Final = "same-visitor"
SAME_NETWORK: Final = "same-network"
BURST: Final = "burst"
FEW_NETWORKS: Final = "few-networks"
NARROW: Final = "narrow"
REPEATS: Final = "repeats"
EVEN: Final = "even"
SHARED: Final = "shared"
RATE: Final = "rate"

MARKS: Final = {
    SELF: "A browser on the way to the conversion opened a link of its own.",
    SAME_VISITOR: "Address, browser and language of a sharer on the way and of whom the share brought were the same.",
    SAME_NETWORK: "Two visits on the way, or three buyers of the referrer on one day, came from one network.",
    BURST: "Four conversions of the referrer or more came within an hour, and half of all in such bursts.",
    FEW_NETWORKS: "The referrer's links were opened on fewer network-days than are asked for.",
    NARROW: "On no day, or hardly, were the links opened from more networks than one person may have at hand.",
    REPEATS: "The visits below the referrer's links come again and again from the same networks.",
    EVEN: "Though narrow every day, the reach of the referrer's links adds up to many network-days.",
    SHARED: "Many networks below the referrer's links are those below other referrers' links on the same days.",
    RATE: "The referrer has many more conversions for each network-day than all referrers.",
}
"""The closed set of marks, and what each means."""

BURST_MS: Final = 3_600_000
BURST_SIZE: Final = 4
_REPEATED: Final = 1.3
_OFTEN_REPEATED: Final = 2.0
_REPEATED_LEAST: Final = 20
_UNLIKELY: Final = 0.001
_MOST_BUY: Final = 0.34
_SHARED: Final = 0.25
_EVEN: Final = 3.0
_BETTER: Final = 4.0
_NO_BETTER: Final = 2.0
"""How many times as often as usual the readers of a referrer may buy before that is a mark; where reach is narrow."""


class ChainVisit(msgspec.Struct, frozen=True):
    """A visit of a chain: when (ms), the day number of its hashes, and what is known of its browser."""

    at: int
    day: int
    visitor: int | None
    network: int | None
    """The wide network."""
    is_self: bool
    """The browser knew the link that it opened as its own."""
    is_same_visitor: bool
    """Its hash equals that of the visit whose share it opened."""


class ReferrerReach(msgspec.Struct, frozen=True):
    """From where the visits below a referrer's links came, in all generations and without self-returns."""

    visits: int
    network_days: int
    """Different networks, each counted once a day."""
    days: int
    """Days with a visit."""
    beyond: int
    """Those of a day beyond ``ReachLimits.assumed_networks``, added up: more than a ring of that size can have."""
    shared: int
    """Network-days that occur below the links of other referrers, too."""


class ReachLimits(msgspec.Struct, frozen=True):
    """What a programme asks for before reach counts as independent."""

    least_network_days: int = 5
    assumed_networks: int = 6
    """How many networks somebody who cheats is thought to have at hand."""
    least_beyond: int = 3


def reaches_of(networks: Mapping[str, Iterable[tuple[int, int, int]]], limits: ReachLimits) -> dict[str, ReferrerReach]:
    """Returns the reach of each referrer from (day, network, visits); a network of a day may occur several times."""
    visits: dict[str, int] = {}
    seen: dict[str, set[tuple[int, int]]] = {}
    referrers: Counter[tuple[int, int]] = Counter()
    for name, found in networks.items():
        own = seen[name] = set()
        visits[name] = 0
        for day, network, number in found:
            own.add((day, network))
            visits[name] += number
        referrers.update(own)
    reaches = {}
    for name, own in seen.items():
        sizes = Counter(day for day, _ in own).values()
        reaches[name] = ReferrerReach(
            visits=visits[name],
            network_days=len(own),
            days=len(sizes),
            beyond=sum(max(0, size - limits.assumed_networks) for size in sizes),
            shared=sum(referrers[each] > 1 for each in own),
        )
    return reaches


def chain_marks(chain: Sequence[ChainVisit]) -> set[str]:
    """Returns the marks of a conversion by its chain: from the first visit below the link to the buyer's."""
    found = set()
    if any(visit.is_self for visit in chain):
        found.add(SELF)
    visitors = [(visit.day, visit.visitor) for visit in chain if visit.visitor is not None]
    if len(set(visitors)) < len(visitors) or any(visit.is_same_visitor for visit in chain):
        found.add(SAME_VISITOR)
    networks = [(visit.day, visit.network) for visit in chain if visit.network is not None]
    if len(set(networks)) < len(networks):
        found.add(SAME_NETWORK)
    return found


def reach_marks(reach: ReferrerReach, conversions: int, usual_rate: float, limits: ReachLimits) -> set[str]:
    """Returns the marks of a referrer; ``usual_rate`` is the programme's number of conversions for a network-day."""
    found = set()
    days = max(reach.network_days, 1)
    if reach.network_days < limits.least_network_days:
        found.add(FEW_NETWORKS)
    narrow = reach.beyond < limits.least_beyond
    if narrow:
        found.add(NARROW)
    if narrow and expected_beyond(reach, limits) >= _EVEN * limits.least_beyond:
        found.add(EVEN)
    if reach.visits >= _REPEATED_LEAST and reach.visits > (_REPEATED if narrow else _OFTEN_REPEATED) * days:
        found.add(REPEATS)
    if reach.shared > max(1, _SHARED * reach.network_days):
        found.add(SHARED)
    better = _NO_BETTER if narrow else _BETTER
    if at_least(conversions, better * usual_rate * days) < _UNLIKELY or conversions > max(1, _MOST_BUY * days):
        found.add(RATE)
    return found


def expected_beyond(reach: ReferrerReach, limits: ReachLimits) -> float:
    """Returns the ``beyond`` of as many network-days if they came by chance (Poisson) on the days on which any came."""
    mean = reach.network_days / max(reach.days, 1)
    short, term = 0.0, math.exp(-mean)
    for number in range(limits.assumed_networks):
        short += (limits.assumed_networks - number) * term
        term *= mean / (number + 1)
    return reach.days * (mean - limits.assumed_networks + short)  # E max(0, X − a) = E X − a + E max(0, a − X)


def burst_times(times: Iterable[int]) -> set[int]:
    """Returns those times (ms) of a referrer's conversions that belong to a burst: many within an hour, and together at
    least half of all."""
    order = sorted(times)
    found: set[int] = set()
    for first in range(len(order) - BURST_SIZE + 1):
        if order[first + BURST_SIZE - 1] - order[first] <= BURST_MS:
            found.update(order[first : first + BURST_SIZE])
    return found if 2 * sum(time in found for time in order) >= len(order) else set()


def at_least(events: int, mean: float) -> float:
    """The probability of at least so many events where ``mean`` are expected (Poisson)."""
    below, term = 0.0, math.exp(-mean)
    for number in range(events):
        below += term
        term *= mean / (number + 1)
    return max(0.0, 1.0 - below)
