"""Sites whose private sharing is known: visits by page and day, as a server would measure them.

The worlds are people, not the estimate's formula: readers arrive by the hour, some of them share, shares reach circles
of very unequal size with a delay, tokens are stripped, requests are lost, and what stays without a token looks like the
bookmarks around it. What the estimate takes for granted is broken here on purpose: bookmarks do not follow spikes of
search as they follow ordinary days, people with a token and people without one do not share for quite the same
things, a page's readers lose more tokens than another's, and all of it is overdispersed.
"""

from __future__ import annotations

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from grapevine.analytics.models.dark_evidence.inputs import GROUPS, PageSeries

_HOURS = 24
_WARM_UP = 6
_MOST_AGAIN = 0.4  # readers that one reader of a share brings: below one, or a world would never end
_DAY_SHAPE = [0.25, 0.15, 0.1, 0.08, 0.08, 0.15, 0.4, 0.8, 1.2, 1.4, 1.5, 1.5, 1.6, 1.5, 1.4, 1.4, 1.4, 1.4, 1.4, 1.5,
              1.6, 1.4, 1.0, 0.5]  # fmt: skip


@dataclass(frozen=True)
class Traits:
    """The kind of site of a world. Rates are by visit or day; ``heat`` and its like are spreads of logarithms.

    ``history`` are days measured before the ``days`` that are asked for; ``unfurled`` is the part of tagged shares
    whose preview is fetched; ``copier_circle`` says how many times the readers of a tagged share one without a token
    has; on one day a ``newsletter`` without tokens brings so many times a page's daily visits: no private shares.
    """

    dark: float
    pages: int
    days: int
    visits_a_day: float
    sharing: float
    circle: float
    untagged: float
    untagged_spread: float
    stripped: float
    lost: float
    heat: float
    heat_days: float
    discord: float
    weekend: float
    spikes: float
    spike_bookmarks: float
    bookmark_spread: float
    overdispersion: float
    delay_hours: float
    silent_pages: float
    history: int = 0
    unfurled: float = 0.5
    copier_circle: float = 1.0
    newsletter: float = 0.0


@dataclass(frozen=True)
class SimulatedWorld:
    """The measured numbers by page, in the days asked for and in those ``before``, and the true number of private
    shares among each page's deep direct visits."""

    traits: Traits
    pages: Sequence[PageSeries]
    before: Sequence[PageSeries]
    dark: Sequence[int]

    @property
    def deep(self) -> int:
        """All deep direct visits."""
        return sum(sum(page.deep) for page in self.pages)

    @property
    def truth(self) -> float:
        """The part of deep direct visits that were private shares."""
        return sum(self.dark) / max(self.deep, 1)


def traits(seed: int, smallest: float = 200.0, largest: float = 20_000.0) -> Traits:
    """Draws a kind of site at random; ``smallest`` and ``largest`` are visits a day."""
    chance = random.Random(f"traits {seed}")  # noqa: S311
    return Traits(
        dark=chance.uniform(0.05, 0.80),
        pages=round(math.exp(chance.uniform(math.log(4), math.log(60)))),
        days=chance.choice((21, 28, 30, 30, 30, 45, 60)),
        visits_a_day=math.exp(chance.uniform(math.log(smallest), math.log(largest))),
        sharing=math.exp(chance.uniform(math.log(0.02), math.log(0.10))),
        circle=chance.uniform(1.5, 4.0),
        untagged=chance.uniform(0.3, 0.7),
        untagged_spread=chance.uniform(0.0, 0.4),
        stripped=chance.uniform(0.0, 0.25),
        lost=chance.uniform(0.0, 0.05),
        heat=chance.uniform(0.3, 0.9),
        heat_days=chance.uniform(0.7, 5.0),
        discord=chance.uniform(0.0, 0.3),
        weekend=chance.uniform(0.4, 1.3),
        spikes=chance.uniform(0.0, 1.5),
        spike_bookmarks=chance.uniform(0.0, 0.5),
        bookmark_spread=chance.uniform(0.2, 0.8),
        overdispersion=chance.uniform(0.0, 0.15),
        delay_hours=chance.uniform(2.0, 12.0),
        silent_pages=chance.choice((0.0, 0.2, 0.5)),
        history=chance.choice((0, 0, 30, 60)),
        unfurled=chance.uniform(0.3, 0.8),
    )


def grow(seed: int, kind: Traits) -> SimulatedWorld:
    """Simulates a world of that kind; the same seed gives the same world."""
    chance = random.Random(f"world {seed}")  # noqa: S311
    found = [_Page(chance, kind, index) for index in range(kind.pages)]
    popularity = sum(page.popularity for page in found)
    for page in found:
        page.live(kind.visits_a_day * page.popularity / popularity)
    since = kind.history
    private = sum(sum(page.dark[since:]) for page in found)
    expected = sum(sum(page.usual[since:]) for page in found) or 1.0
    bookmarks = private * (1 - kind.dark) / kind.dark / expected
    measured = [page.measured(bookmarks) for page in found]
    return SimulatedWorld(
        kind,
        [page.series(deep, since, since + kind.days) for page, deep in zip(found, measured, strict=True)],
        [page.series(deep, 0, since) for page, deep in zip(found, measured, strict=True)],
        [sum(page.dark[since:]) for page in found],
    )


class _Page:
    """One page's people, hour by hour; days before the first measured one let sharing get going."""

    def __init__(self, chance: random.Random, kind: Traits, index: int) -> None:
        self._chance = chance
        self._kind = kind
        self.popularity = math.exp(chance.gauss(0, 0.5)) / (index + 1) ** 0.8
        self._shared = 0.0 if index and chance.random() < kind.silent_pages else math.exp(chance.gauss(-0.125, 0.5))
        odds = math.log(kind.untagged / (1 - kind.untagged)) + chance.gauss(0, kind.untagged_spread)
        self._untagged = 1 / (1 + math.exp(-odds))
        self._kept = math.exp(chance.gauss(0, kind.bookmark_spread))
        self._born = chance.uniform(0, kind.days) if index and chance.random() < 0.3 else None
        self._fades = chance.uniform(3, 15)
        self._previews = random.Random(f"previews {index} {kind.visits_a_day}")  # noqa: S311
        days = kind.history + kind.days
        self.unfurled = [0] * days
        self.general = [0] * days
        self.usual = [0.0] * days
        self.dark = [0] * days
        self.returns = [[0] * GROUPS for _ in range(days)]

    def live(self, visits_a_day: float) -> None:
        """All arrivals but bookmarks."""
        chance, kind = self._chance, self._kind
        hours = (kind.history + kind.days + _WARM_UP) * _HOURS
        heat, apart = self._heat(hours, kind.heat), self._heat(hours, kind.discord)
        spikes = self._spikes(hours)
        coming = [0] * hours
        for hour in range(hours):
            day = hour // _HOURS - _WARM_UP
            usual = visits_a_day / _HOURS * self._rhythm(hour) * self._age(hour / _HOURS - _WARM_UP - kind.history)
            visits = self._count(usual * (1 + spikes[hour]))
            if day >= 0:
                self.general[day] += self._arrived(visits)
                self.usual[day] += self._kept * usual * (1 + kind.spike_bookmarks * spikes[hour])
            eager = kind.sharing * self._shared * math.exp(heat[hour])
            again = min(eager, _MOST_AGAIN / kind.circle / max(1.0, kind.copier_circle))
            rate = visits * eager + coming[hour] * again
            self._share(hour, rate * (1 - self._untagged), coming, tagged=True)
            self._share(hour, rate * self._untagged * math.exp(apart[hour]), coming, tagged=False)
            if day >= 0:  # returns of public networks' shares and the like are general traffic
                self.general[day] += self._arrived(poisson(chance, visits * 0.01))

    def measured(self, bookmarks: float) -> list[int]:
        """Returns this page's deep direct visits by day, with so many bookmark visits for each usual one."""
        kept = [self._arrived(self._count(usual * bookmarks)) for usual in self.usual]
        if self._kind.newsletter:
            day = self._previews.randrange(self._kind.history, len(kept))
            kept[day] += self._count(self._kind.newsletter * sum(self.usual) / len(self.usual))
        return [dark + other for dark, other in zip(self.dark, kept, strict=True)]

    def series(self, deep: Sequence[int], start: int, end: int) -> PageSeries:
        """Returns the server's numbers of some days."""
        return PageSeries(
            deep=deep[start:end],
            general=self.general[start:end],
            returns=[tuple(groups) for groups in self.returns[start:end]],
            unfurled=sum(self.unfurled[start:end]),
        )

    def _share(self, hour: int, rate: float, coming: list[int], *, tagged: bool) -> None:
        chance, kind = self._chance, self._kind
        circle, shared_on = kind.circle if tagged else kind.circle * kind.copier_circle, hour // _HOURS - _WARM_UP
        for _ in range(poisson(chance, rate)):
            if tagged and shared_on >= 0 and self._previews.random() < kind.unfurled:
                self.unfurled[shared_on] += 1
            group = chance.randrange(GROUPS)
            readers = min(poisson(chance, chance.gammavariate(0.6, circle / 0.6)), 200)
            whole = chance.random() < kind.stripped / 2  # an app that strips takes the token from everybody's link
            for _ in range(readers):
                arrival = hour + int(math.exp(chance.gauss(math.log(kind.delay_hours), 1.2)))
                if arrival >= len(coming):
                    continue
                coming[arrival] += arrival > hour
                day = arrival // _HOURS - _WARM_UP
                if day < 0 or chance.random() < kind.lost:
                    continue
                if tagged and not whole and chance.random() >= kind.stripped / 2:
                    self.returns[day][group] += 1
                elif chance.random() < 0.1:  # an in-app browser names itself: evidence, not deep direct
                    self.general[day] += 1
                else:
                    self.dark[day] += 1

    def _rhythm(self, hour: int) -> float:
        week = self._kind.weekend if hour // _HOURS % 7 >= 5 else 1.0
        return _DAY_SHAPE[hour % _HOURS] * week

    def _age(self, day: float) -> float:
        """Some pages are news: their traffic rises and fades."""
        if self._born is None:
            return 1.0
        return 0.02 if day < self._born else 0.1 + 2 * math.exp(-(day - self._born) / self._fades)

    def _heat(self, hours: int, spread: float) -> list[float]:
        """The readers' inclination to share: a logarithm that varies (Ornstein–Uhlenbeck), mean of its exp about 1."""
        memory = math.exp(-1 / (self._kind.heat_days * _HOURS))
        step = spread * math.sqrt(1 - memory * memory)
        value = self._chance.gauss(0, spread)
        found = []
        for _ in range(hours):
            value = memory * value + self._chance.gauss(0, step)
            found.append(value - spread * spread / 2)
        return found

    def _spikes(self, hours: int) -> list[float]:
        """News elsewhere that brings readers from search and networks, as multiples of what is usual."""
        found = [0.0] * hours
        for _ in range(poisson(self._chance, self._kind.spikes)):
            start, height = self._chance.randrange(hours), math.exp(self._chance.uniform(0.5, 2.5))
            fades = self._chance.uniform(6, 48)
            for hour in range(start, hours):
                found[hour] += height * math.exp(-(hour - start) / fades)
        return found

    def _count(self, mean: float) -> int:
        """Negative binomial: Poisson around a mean that is itself uncertain."""
        spread = self._kind.overdispersion
        if spread <= 0 or mean <= 0:
            return poisson(self._chance, mean)
        return poisson(self._chance, mean * self._chance.gammavariate(1 / spread, spread))

    def _arrived(self, sent: int) -> int:
        return sent - binomial(self._chance, sent, self._kind.lost)


def poisson(chance: random.Random, mean: float) -> int:
    """A Poisson number (Knuth's multiplication below 30, the rounded normal approximation above)."""
    if mean <= 0:
        return 0
    if mean > 30:
        return max(0, round(chance.gauss(mean, math.sqrt(mean))))
    floor, product, count = math.exp(-mean), chance.random(), 0
    while product > floor:
        product *= chance.random()
        count += 1
    return count


def binomial(chance: random.Random, times: int, part: float) -> int:
    """Draws how many of ``times`` trials succeed; Poisson where there are many."""
    if times > 50:
        return min(times, poisson(chance, times * part))
    return sum(chance.random() < part for _ in range(times))
