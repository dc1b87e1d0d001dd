"""Bounds on what visitors may invent: how many new pages, goals, apps and answers a site takes in a day.

One rule for all kinds. A network may use as much of a bound as is still free (the dynamic threshold by which the queue
divides itself, ``queue.py``): one flooding network uses half and leaves half to all others. A wide network (an IPv4
address, an IPv6 /48) is one network here, since a stranger has its 65,536 /64s for the price of one. What has no
network came with an API key: it is the owner's own and has no bound here.

How many names of a day are stored is read from the store again and again, so the bound holds for several processes
together, to an eighth of it each, and after a restart. How much each network used is kept in memory: after a restart a
flooding network gets half of what is left, and of P processes that it floods alike it leaves 1 ÷ (P + 1) to others.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Mapping
from typing import Final, NamedTuple, TypeVar

from grapevine.domain.enums import BOUND_KINDS
from grapevine.domain.networks import WIDE_SHIFT

PAGE, GOAL, APP, ANSWER, SHARE_URL, CLICK_ID = (
    BOUND_KINDS[name] for name in ("pages", "goals", "apps", "answers", "shares", "click-ids")
)

_DAYS: Final = 10_000
"""The use of so many sites, days and kinds is kept."""

MOST_NETWORKS: Final = 20_000
"""So many networks are remembered of each bound. Beyond it those that used least are forgotten, and start anew."""

K = TypeVar("K")


class Bound(NamedTuple):
    """``a_day``: new ones of a site in a day. ``a_network``: of one network, whatever is free; None for no such bound.

    Without ``a_day`` the store need not be asked how many there are. Where it is not ``asked`` either, each process
    counts its own since it started.
    """

    a_day: int | None
    a_network: int | None = None
    asked: bool = True


BOUNDS: Final[Mapping[int, Bound]] = {
    # A newspaper with its archive has some thousands of pages with a visit a day, nearly all of them seen before.
    PAGE: Bound(a_day=10_000),
    # A site has a handful of goals. New ones come with a release of its pages, never a hundred of them in a day.
    GOAL: Bound(a_day=100),
    # Some fifty apps are known by name and have no bound; others bring a visit now and then.
    APP: Bound(a_day=200),
    # Nobody reads more answers than that in a day. A text cannot be `(other)`, so further ones are refused.
    ANSWER: Bound(a_day=2_000),
    # A share keeps its own URL beyond the bound of pages, in no list: a row of text, of which an office needs few.
    SHARE_URL: Bound(a_day=None, a_network=1_000),
    # A site with a million visits a day gets a fifth of them through links with click ids; what is beyond it decides
    # nothing. The most people behind one address are a mobile carrier's. A guard is smaller than the row of the visit
    # that brings it; to count them in the store, where they lie in the order of hashes, would cost more than an attack.
    CLICK_ID: Bound(a_day=200_000, a_network=2_000, asked=False),
}

MOST_SHARE_URLS: Final = 20
"""Different URLs beyond the bound of pages that the shares of one visit keep: nobody shares more pages in a visit."""


class BoundKey(NamedTuple):
    """One bound: a kind, of a site, on a day (number)."""

    kind: int
    site_id: int
    day: int


class Taken(NamedTuple):
    """What a batch takes of a bound, by wide network; ``NameBounds.add`` counts it when the batch has committed."""

    key: BoundKey
    networks: Mapping[int, int]


class _Use:
    """What is used of one bound: in all, None before the store was asked, and by each wide network; ``unasked`` of it
    since the store was asked last."""

    __slots__ = ("networks", "total", "unasked")

    def __init__(self) -> None:
        self.total: int | None = None
        self.unasked = 0
        self.networks: Counter[int] = Counter()


class NameBounds:
    """What is used of all bounds, as far as this process knows."""

    def __init__(self, bounds: Mapping[int, Bound] = BOUNDS) -> None:
        self._bounds = bounds
        self._uses: dict[BoundKey, _Use] = {}

    async def exceeding(
        self, key: BoundKey, wanted: Mapping[K, int], stored: Callable[[], Awaitable[int]], taken: list[Taken]
    ) -> set[K]:
        """Returns those of ``wanted`` that exceed the bound; what the others take of it is added to ``taken``.

        ``wanted`` are new names with the network that each comes from, 0 for the owner's. ``stored`` counts those of
        the day in the store. It is asked at first, after every eighth of the bound and always beyond half of it, since
        other processes add names, too.
        """
        bound, use = self._bounds[key.kind], self._use(key)
        if not bound.asked:
            use.total = use.total or 0
        elif bound.a_day is not None and _must_ask(bound.a_day, use, len(wanted)):
            use.total, use.unasked = await stored(), 0
        total, networks, excess = use.total or 0, Counter[int](), set[K]()
        for name, network in wanted.items():
            if not network:
                continue
            wide = network >> WIDE_SHIFT
            if use.networks[wide] + networks[wide] >= _free(bound, total):
                excess.add(name)
            else:
                networks[wide] += 1
                total += 1
        if networks:
            taken.append(Taken(key, networks))
        return excess

    def add(self, taken: Iterable[Taken]) -> None:
        """Counts what a batch took that has committed."""
        for key, networks in taken:
            use = self._use(key)
            use.networks.update(networks)
            if len(use.networks) > MOST_NETWORKS:
                use.networks = Counter(dict(use.networks.most_common(MOST_NETWORKS // 2)))
            if use.total is not None:
                use.total += sum(networks.values())
                use.unasked += sum(networks.values())

    def _use(self, key: BoundKey) -> _Use:
        use = self._uses.get(key)
        if use is None:
            self._drop_past(key.day)
            if len(self._uses) >= _DAYS:
                self._uses.clear()
            use = self._uses[key] = _Use()
        return use

    def _drop_past(self, day: int) -> None:
        """Forgets the days that are over; yesterday's may still get an event."""
        while self._uses and (oldest := next(iter(self._uses))).day < day - 1:
            del self._uses[oldest]


def _must_ask(a_day: int, use: _Use, new: int) -> bool:
    return use.total is None or 2 * (use.total + new) > a_day or 8 * (use.unasked + new) > a_day


def _free(bound: Bound, total: int) -> int:
    """Returns how much one network may use of a bound of which ``total`` is used."""
    limits = (None if bound.a_day is None else bound.a_day - total, bound.a_network)
    return min(limit for limit in limits if limit is not None)
