"""Referral programmes whose cheats are known: honest referrers with their readers, and people who pay themselves.

Honest readers come in the days after a post, some from offices, carriers and families with one address, and pass
links on. Cheats have one to six addresses at hand and any number of browsers. What cheats earn is every payment for a
purchase or sign-up that they made themselves, or had made by the browsers that they command.
"""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from grapevine.domain import ids
from grapevine.domain.money import MILLION

DAYS: Final = 30
START: Final = ids.day_start(2502)
MINUTE_MS: Final = 60_000
AGENTS: Final = 40
KINDS: Final = ("self", "replay", "ring", "chain", "inflated", "names")
"""The kinds of cheats."""
BEYOND: Final = ("careful", "mixed")
"""Kinds that know the rule: their browsers take no more than readers would, or stand beside real readers."""


@dataclass(slots=True)
class Bought:
    """A conversion that the shop's server reports: when, and what was paid (millionths)."""

    at: int
    value: int
    name: str


@dataclass(slots=True)
class Arrived:
    """A visit: through a link (``parent`` None) or through the share of another visit of the list."""

    parent: int | None
    at: int
    address: str
    agent: int
    own: bool = False
    bought: list[Bought] = field(default_factory=list)


@dataclass(slots=True)
class Referrer:
    """A referrer and what happened below their link, each visit behind its parent and in the order of time."""

    name: str
    kind: str
    visits: list[Arrived] = field(default_factory=list)

    @property
    def is_honest(self) -> bool:
        return self.kind == "honest"


@dataclass(frozen=True)
class Traits:
    """The kind of programme of a world."""

    honest: int
    cheats: int
    conversion: float
    shared: float
    audience: float
    posts: float
    lag_hours: float
    onward: float
    steady: float
    """The part of honest referrers whose link stands on a page and is opened every day alike."""


def traits(seed: int) -> Traits:
    """Draws a kind of programme."""
    chance = random.Random(f"programme {seed}")  # noqa: S311
    honest = chance.randint(40, 120)
    return Traits(
        honest=honest,
        cheats=max(2, round(honest * chance.uniform(0.03, 0.15))),
        conversion=chance.uniform(0.01, 0.06),
        shared=chance.uniform(0.10, 0.40),
        audience=chance.uniform(40, 120),
        posts=chance.uniform(1.5, 5),
        lag_hours=chance.uniform(3, 24),
        onward=chance.uniform(0.02, 0.25),
        steady=chance.uniform(0.0, 0.3),
    )


def programme(seed: int, kind: Traits | None = None, cheats: tuple[str, ...] = KINDS) -> list[Referrer]:
    """Simulates a world; the same seed gives the same world."""
    kind = kind or traits(seed)
    chance = random.Random(f"people {seed}")  # noqa: S311
    carriers = [_address(chance) for _ in range(12)]
    found = [_honest(chance, kind, f"friend-{index}", carriers) for index in range(kind.honest)]
    for index in range(kind.cheats):
        which = chance.choice(cheats)
        cheat = _Cheat(chance, f"cheat-{index}", which)
        found += [cheat.referrer, *cheat.others]
    for referrer in found:
        _sort(referrer)
    return found


def _honest(chance: random.Random, kind: Traits, name: str, carriers: list[str]) -> Referrer:
    """Readers of a few posts, and those with whom readers share."""
    referrer = Referrer(name, "honest")
    readers = max(1, round(kind.audience * math.exp(chance.gauss(-0.32, 0.8))))
    posts = [_any_time(chance) for _ in range(1 + _poisson(chance, kind.posts - 1))]
    offices = [_address(chance) for _ in range(chance.randint(1, 4))]
    buys = kind.conversion * math.exp(chance.gauss(-0.08, 0.4))
    home = _address(chance)
    steady = chance.random() < kind.steady
    number = 0
    for _ in range(readers):
        parent = None
        if referrer.visits and chance.random() < kind.onward:
            parent = chance.randrange(len(referrer.visits))
        since = (
            referrer.visits[parent].at if parent is not None else _any_time(chance) if steady else chance.choice(posts)
        )
        at = since + MINUTE_MS + round(chance.expovariate(1 / kind.lag_hours) * 60 * MINUTE_MS)
        address = _address(chance)
        if chance.random() < kind.shared:
            draw = chance.random()
            family = home if parent is None else referrer.visits[parent].address
            address = chance.choice(offices) if draw < 0.5 else chance.choice(carriers) if draw < 0.8 else family
        visit = Arrived(parent, at, address, chance.randrange(AGENTS))
        while chance.random() < buys:
            number += 1
            later = round(chance.expovariate(1 / (6 * 60)) * MINUTE_MS)
            visit.bought.append(Bought(at + 2 * MINUTE_MS + later, _value(chance), f"{name}-{number}"))
        referrer.visits.append(visit)
    return referrer


class _Cheat:
    """One cheat of a kind, with up to six addresses and up to fifty browsers."""

    def __init__(self, chance: random.Random, name: str, kind: str) -> None:
        self._chance = chance
        self._number = 0
        self.referrer = Referrer(name, kind)
        self.others: list[Referrer] = []
        self._addresses = [_address(chance) for _ in range(chance.randint(1, 6))]
        self._pattern = chance.choice(("burst", "evenings", "patient"))
        self._began = _any_time(chance)
        getattr(self, f"_{kind}")()

    def _self(self) -> None:
        """Buys for oneself at home and on the phone, where the browser knows the link or does not."""
        addresses = self._addresses[:2]
        for _ in range(self._chance.randint(1, 6)):
            at = _any_time(self._chance)
            if self._chance.random() < 0.3:
                first = self._come(None, at, self._chance.choice(addresses))
                self._come(first, at + 5 * MINUTE_MS, self._chance.choice(addresses), own=True, buys=1)
            else:
                self._come(None, at, self._chance.choice(addresses), buys=1)
        for _ in range(self._chance.randint(0, 3)):
            self._come(None, _any_time(self._chance), _address(self._chance))

    def _replay(self) -> None:
        """One browser opens the same link again and again and signs up each time; the shop's server repeats orders."""
        agent = self._chance.randrange(AGENTS)
        for _ in range(self._chance.randint(3, 30)):
            visit = self._come(None, self._time(), self._addresses[0], buys=1, agent=agent)
            bought = self.referrer.visits[visit].bought
            bought.append(Bought(bought[0].at + MINUTE_MS, bought[0].value, bought[0].name))

    def _ring(self, browsers: int | None = None) -> None:
        for _ in range(browsers or self._chance.randint(5, 50)):
            self._come(None, self._time(), self._chance.choice(self._addresses), buys=self._chance.random() < 0.9)

    def _chain(self) -> None:
        """Each purchase goes through a chain of own identities."""
        for _ in range(self._chance.randint(3, 20)):
            at, parent = self._time(), None
            for _ in range(self._chance.randint(1, 5)):
                parent = self._come(parent, at, self._chance.choice(self._addresses))
                at += self._chance.randint(2, 600) * MINUTE_MS
            self._come(parent, at, self._chance.choice(self._addresses), buys=1)

    def _inflated(self) -> None:
        """A ring that opens its links many times more, so that its conversions look rare."""
        self._ring()
        for _ in range(round(len(self.referrer.visits) * self._chance.uniform(2, 20))):
            parent = None
            if self._chance.random() < 0.2:
                parent = self._chance.randrange(len(self.referrer.visits))
            since = self._time() if parent is None else self.referrer.visits[parent].at + 30 * MINUTE_MS
            self._come(parent, since, self._chance.choice(self._addresses))

    def _names(self) -> None:
        """A ring that has many links under many names, each of which brings it little."""
        first, name = self.referrer, self.referrer.name
        for index in range(self._chance.randint(3, 20)):
            if index:
                self.referrer = Referrer(f"{name}-as-{index}", first.kind)
                self.others.append(self.referrer)
            self._ring(self._chance.randint(1, 3))
            for _ in range(self._chance.randint(0, 20)):
                self._come(None, self._time(), self._chance.choice(self._addresses))
        self.referrer = first

    def _careful(self) -> None:
        """A ring that opens its link from three of its addresses a day, and buys as rarely as good readers do."""
        self._addresses = [_address(self._chance) for _ in range(6)]
        for day in range(DAYS):
            for address in self._chance.sample(self._addresses, 3):
                at = START + day * ids.DAY_MS + self._chance.randrange(7 * 60, 23 * 60) * MINUTE_MS
                self._come(None, at, address, buys=self._chance.random() < 0.05)

    def _mixed(self) -> None:
        """A ring whose member also has a hundred real readers, who buy nothing."""
        self._ring(self._chance.randint(2, 10))
        posts = [_any_time(self._chance) for _ in range(3)]
        for _ in range(100):
            at = self._chance.choice(posts) + round(self._chance.expovariate(1 / 12) * 60 * MINUTE_MS)
            self._come(None, at, _address(self._chance))

    def _time(self) -> int:
        if self._pattern == "burst":
            return self._began + self._chance.randrange(3 * 60) * MINUTE_MS
        if self._pattern == "evenings":
            day = self._chance.choice((3, 9, 10, 17, 24))
            return START + day * ids.DAY_MS + self._chance.randrange(18 * 60, 23 * 60) * MINUTE_MS
        return _any_time(self._chance)

    def _come(
        self, parent: int | None, at: int, address: str, *, buys: int = 0, own: bool = False, agent: int | None = None
    ) -> int:
        visit = Arrived(parent, at, address, self._chance.randrange(AGENTS) if agent is None else agent, own)
        if buys:
            self._number += 1
            later = self._chance.randint(1, 60) * MINUTE_MS
            visit.bought.append(Bought(at + later, _value(self._chance), f"{self.referrer.name}-{self._number}"))
        self.referrer.visits.append(visit)
        return len(self.referrer.visits) - 1


def _sort(referrer: Referrer) -> None:
    """Puts the visits in the order of time; a parent comes before its children, since it was earlier."""
    order = sorted(range(len(referrer.visits)), key=lambda index: (referrer.visits[index].at, index))
    place = {old: new for new, old in enumerate(order)}
    visits = [referrer.visits[index] for index in order]
    for visit in visits:
        visit.parent = None if visit.parent is None else place[visit.parent]
    referrer.visits = visits


def by_time(world: list[Referrer]) -> Iterator[tuple[int, Referrer, int]]:
    """Yields all visits of a world in the order of time, as (time, referrer, index)."""
    yield from sorted(
        ((visit.at, referrer, index) for referrer in world for index, visit in enumerate(referrer.visits)),
        key=lambda one: (one[0], one[1].name, one[2]),
    )


def _any_time(chance: random.Random) -> int:
    day = chance.randrange(DAYS - 1)
    return START + day * ids.DAY_MS + round(chance.triangular(7, 23, 19) * 60) * MINUTE_MS


def _address(chance: random.Random) -> str:
    return f"{chance.randint(1, 223)}.{chance.randrange(256)}.{chance.randrange(256)}.{chance.randint(1, 254)}"


def _value(chance: random.Random) -> int:
    return round(40 * math.exp(chance.gauss(0, 0.5)), 2).__trunc__() * MILLION + 990_000


def _poisson(chance: random.Random, mean: float) -> int:
    limit, number, product = math.exp(-max(mean, 0.0)), 0, chance.random()
    while product > limit:
        number += 1
        product *= chance.random()
    return number
