"""A simulated site, event by event: visits, the share that each came through, and the shares made in it.

Every visit makes about 0.3 others (K): some come from search and the like, a fifth came through a share. Pages are
popular by Zipf's law with exponent 0.8 (Breslau, Cao, Fan, Phillips, Shenker: Web caching and Zipf-like distributions,
1999, find 0.64 to 0.83). The same number of pages, whatever the number of visits. A few cascades are planted whole, the
same ones at every size, so that the same question can be asked of every store.
"""

from __future__ import annotations

import heapq
import random
from collections.abc import Callable, Iterator
from typing import Final, NamedTuple

from grapevine.domain import ids
from grapevine.domain.channels import CODES
from grapevine.domain.enums import DEVICES, SOURCES, TOKEN_REASONS
from grapevine.store.rows import ASIDE, SAME_NETWORK

ORIGIN: Final = "https://bench.example"
PAGES: Final = tuple(f"{ORIGIN}/articles/{number:04}-on-a-subject" for number in range(1_000))
SLICE_MS: Final = 5 * 60_000
PLANTED_DEPTH: Final = 10
PLANTED_REACH: Final = 100
PLANTED_SIZE: Final = 1_000

_SHARE: Final = SOURCES["share"]
_BAD_TOKEN: Final = TOKEN_REASONS["bad-signature"]
_VISITS_PER_ROOT: Final = 1.252
_HOURS: Final = (3, 2, 1, 1, 1, 2, 4, 7, 9, 10, 10, 10, 11, 10, 9, 9, 9, 10, 11, 13, 14, 13, 10, 6)
_CHANNELS: Final = (
    ("copy", 50), ("whatsapp", 12), ("native", 10), ("email", 7), ("telegram", 4), ("facebook", 4), ("x", 4),
    ("linkedin", 3), ("slack", 2), ("signal", 2), ("reddit", 1), ("bluesky", 1),
)  # fmt: skip
_ORIGINS: Final = (
    ("search", None, 35), ("direct-deep", None, 20), ("direct-home", None, 12), ("referral", None, 10),
    ("social", None, 6), ("social", "facebook", 4), ("social", "instagram", 3), ("internal", None, 4),
    ("campaign", None, 4), ("email", None, 2),
)  # fmt: skip
_APPS: Final = ((None, 14), ("whatsapp", 3), ("facebook", 1), ("instagram", 1), ("slack", 1))
_DEVICES: Final = (("phone", 52), ("desktop", 42), ("tablet", 5), ("unknown", 1))
_PREVIEWING: Final = {CODES[name]: name for name in ("whatsapp", "slack", "telegram")}


class Cascade:
    """A root and its cascade so far; ``stored`` is whether the store has its summary."""

    __slots__ = ("last_at", "max_depth", "page", "root_id", "shares", "size", "started_at", "stored")

    def __init__(self, root_id: int, at: int, page: int) -> None:
        self.root_id, self.page, self.started_at, self.last_at = root_id, page, at, at
        self.size, self.max_depth, self.shares, self.stored = 1, 0, 0, False


class ScenarioVisit(NamedTuple):
    """An arrival. ``views`` are all that it will have, evenly ``gap`` ms apart; ``page`` is an index in PAGES."""

    at: int
    visit_id: int
    check: int
    page: int
    source: int
    device: int
    app: str | None
    visitor: int
    new_visitor: bool
    channel: int | None
    n: int | None
    via_id: int | None
    parent_id: int | None
    cascade: Cascade
    depth: int
    flags: int
    reason: int | None
    views: int
    gap: int


class ScenarioShare:
    """One act of sharing in the visit ``sharer``; ``stored`` is whether it has a row."""

    __slots__ = ("channel", "first_at", "n", "page", "proven_at", "reported_at", "returns", "self_returns", "sharer",
                 "stored")  # fmt: skip

    def __init__(self, sharer: ScenarioVisit, channel: int, n: int) -> None:
        self.sharer, self.channel, self.n = sharer, channel, n
        self.page: int | None = None
        self.first_at: int | None = None
        self.reported_at: int | None = None
        self.proven_at: int | None = None
        self.returns = self.self_returns = 0
        self.stored = False


class Happened(NamedTuple):
    """The events of one slice of time, in order; counts include only what is new with an event."""

    visits: list[ScenarioVisit]
    opened: list[tuple[ScenarioShare, ScenarioVisit]]
    reported: list[ScenarioShare]
    unfurled: list[tuple[ScenarioShare, str, int]]
    unlinked: list[tuple[int, int, int, int]]
    """(at, source, page, device)"""


class _Tree(NamedTuple):
    """A cascade that is planted: the children of each node, and the node whose shares are queried."""

    children: list[list[int]]
    asked: int


class Story:
    """About ``visits`` visits in ``days`` days that end with ``last_day``. The same seed gives the same events."""

    def __init__(self, visits: int, last_day: int, days: int = 35, seed: int = 3, planted: tuple[int, int] = (8, 2)):
        self._random = random.Random(seed)  # noqa: S311
        self._days = range(last_day - days + 1, last_day + 1)
        self._roots_a_day = max(0, visits - _planted_visits(*planted)) / days / _VISITS_PER_ROOT
        self._coming: list[tuple[int, int, Callable[..., None], tuple[object, ...]]] = []
        self._ids: dict[int, set[int]] = {}
        self._drawn = 0
        self._today: list[int] = []
        self._happened = Happened([], [], [], [], [])
        choices = self._random.choices
        self._pages = choices(range(len(PAGES)), [index**-0.8 for index in range(1, len(PAGES) + 1)], k=1 << 16)
        drawn = choices(_ORIGINS, [weight for *_, weight in _ORIGINS], k=1 << 10)
        phones = choices([DEVICES[name] for name, _ in _DEVICES], [weight for _, weight in _DEVICES], k=1 << 10)
        self._origins = [
            (SOURCES[source], DEVICES["phone"] if app else device, app)
            for (source, app, _), device in zip(drawn, phones, strict=True)
        ]
        apps = choices([app for app, _ in _APPS], [weight for _, weight in _APPS], k=1 << 10)
        self._returning = [
            (_SHARE, DEVICES["phone"] if app else device, app) for app, device in zip(apps, phones, strict=True)
        ]
        self._channels = choices([CODES[name] for name, _ in _CHANNELS], [weight for _, weight in _CHANNELS], k=1 << 10)
        self.chains: list[tuple[int, int]] = []
        """(visit, channel) of planted shares at depth 10 below which 100 visits grow."""
        self.roots: list[int] = []
        """Roots of planted cascades of 1,000 visits."""
        self._plant(*planted)

    def slices(self) -> Iterator[tuple[int, Happened]]:
        """(end of the slice, its events)."""
        for day in self._days:
            self._today = []
            for hour, weight in enumerate(_HOURS):
                start = ids.day_start(day) + hour * ids.HOUR_MS
                count = self._round(self._roots_a_day * weight / sum(_HOURS))
                times = sorted(start + int(self._random.random() * ids.HOUR_MS) for _ in range(count))
                times.reverse()
                for begin in range(start, start + ids.HOUR_MS, SLICE_MS):
                    yield begin + SLICE_MS, self._slice(times, begin + SLICE_MS)

    def _slice(self, times: list[int], end: int) -> Happened:
        self._happened = happened = Happened([], [], [], [], [])
        coming, root = self._coming, self._root
        while True:
            at = times[-1] if times else end
            if coming and coming[0][0] <= at and coming[0][0] < end:
                when, _, call, arguments = heapq.heappop(coming)
                call(when, *arguments)
            elif at < end:
                times.pop()
                root(at)
            else:
                return happened

    def _later(self, at: int, call: Callable[..., None], *arguments: object) -> None:
        self._drawn += 1
        heapq.heappush(self._coming, (at, self._drawn, call, arguments))

    def _round(self, number: float) -> int:
        return int(number) + (self._random.random() < number % 1)

    def _root(self, at: int) -> None:
        if self._random.random() < 0.02:
            bits = self._random.getrandbits(26)
            source, device, _ = self._origins[bits & 1023]
            self._happened.unlinked.append((at, source, self._pages[bits >> 10], device))
            return
        visit = self._begin(at)
        if self._random.random() < 0.12:
            self._share(visit)

    def _begin(self, at: int) -> ScenarioVisit:
        bits = self._random.getrandbits(26)
        source, device, app = self._origins[bits & 1023]
        page = self._pages[bits >> 10]
        day = ids.day_at(at)
        visit_id = self._draw(day, None)
        visitor, new = self._visitor()
        views, gap = self._views(), gap_of(visit_id)
        visit = ScenarioVisit(
            at, visit_id, self._random.getrandbits(32) - (1 << 31), page, source, device, app, visitor, new, None, None,
            None, None, Cascade(visit_id, at, page), 0, 0, _BAD_TOKEN if self._random.random() < 0.003 else None,
            views, gap,
        )  # fmt: skip
        self._happened.visits.append(visit)
        return visit

    def _returns(self, at: int, share: ScenarioShare, own: bool, tree: _Tree | None = None, node: int = 0) -> None:
        draw = self._random.random
        sharer = share.sharer
        bits = self._random.getrandbits(26)
        source, device, app = self._returning[bits & 1023]
        day = ids.day_at(at)
        visit_id = self._draw(day, ids.cell_of(sharer.visit_id))
        same_day = ids.day_at(sharer.at) == day
        next_to_it = same_day and (own or draw() < 0.04)
        visitor, new = (sharer.visitor, False) if next_to_it else self._visitor()
        same_network = same_day and visitor == sharer.visitor
        parent_id, via_id = sharer.visit_id, None
        if sharer.flags & ASIDE and sharer.parent_id is not None:
            parent_id, via_id = sharer.parent_id, sharer.visit_id
        views, gap = self._views(), gap_of(visit_id)
        visit = ScenarioVisit(
            at, visit_id, self._random.getrandbits(32) - (1 << 31), share.sharer.page, source, device, app, visitor,
            new, share.channel, share.n, via_id, parent_id, sharer.cascade, sharer.depth + (not own),
            (ASIDE if own else 0) | (SAME_NETWORK if same_network else 0), None, views, gap,
        )  # fmt: skip
        self._happened.visits.append(visit)
        self._happened.opened.append((share, visit))
        if tree is not None:
            self._follow(visit, tree, node)
        elif draw() < 0.2:
            self._share(visit)

    def _share(self, visit: ScenarioVisit) -> None:
        """A share with 1.5 returns on the average, most of them within a day; some never come back."""
        draw = self._random.random
        share = ScenarioShare(visit, self._channels[self._random.getrandbits(10)], int(draw() < 0.1))
        returns = 0
        while draw() < 0.6:
            returns += 1
        at = visit.at + 5_000 + int(draw() * 300_000)
        if not returns or draw() < 0.85:
            self._later(at, self._report, share, visit.page if draw() < 0.8 else self._pages[self._drawn & 0xFFFF])
        app = _PREVIEWING.get(share.channel)
        if app and draw() < 0.5:
            self._later(at + 4_000, self._unfurl, share, app)
        for _ in range(returns):
            self._later(at + 60_000 + int(self._random.expovariate(1 / (6 * ids.HOUR_MS))), self._returns, share, False)
        if draw() < 0.06:
            self._later(at + int(draw() * ids.HOUR_MS), self._returns, share, True)

    def _report(self, at: int, share: ScenarioShare, page: int) -> None:
        share.reported_at, share.page = at, page
        self._happened.reported.append(share)

    def _unfurl(self, at: int, share: ScenarioShare, app: str) -> None:
        self._happened.unfurled.append((share, app, at))

    def _visitor(self) -> tuple[int, bool]:
        """Returns 48 signed bits; one visit in five repeats a visitor of the same day."""
        if self._today and self._random.random() < 0.2:
            return self._today[int(self._random.random() * len(self._today))], False
        visitor = self._random.getrandbits(48) - (1 << 47)
        self._today.append(visitor)
        return visitor, True

    def _draw(self, day: int, cell: int | None) -> int:
        """Returns an unused visit id of the day, in the cell of its cascade or in a random one."""
        if day not in self._ids:
            self._ids = {kept: drawn for kept, drawn in self._ids.items() if kept >= day - 1} | {day: set()}
        taken = self._ids[day]
        while True:
            rest = self._random.getrandbits(44)
            visit_id = day << 44 | rest if cell is None else ids.pack(day, cell, rest & 0xFFFF_FFFF)
            if visit_id not in taken:
                taken.add(visit_id)
                return visit_id

    def _views(self) -> int:
        """Two visits in five go on to other pages; how many they see."""
        draw = self._random.random
        views = 1
        while draw() < 0.4 and views < 9:
            views += 1
        return views

    def _plant(self, chains: int, cascades: int) -> None:
        chance = random.Random(1_000)  # noqa: S311
        first = ids.day_start(self._days[0]) + max(0, len(self._days) - 5) * ids.DAY_MS // 2
        for number in range(chains):
            parents = [*range(PLANTED_DEPTH), PLANTED_DEPTH]
            parents += [
                chance.randrange(PLANTED_DEPTH, node)
                for node in range(len(parents) + 1, 1 + PLANTED_DEPTH + PLANTED_REACH)
            ]
            self._later(first + number * ids.HOUR_MS, self._planted, _tree(parents, PLANTED_DEPTH))
        for number in range(cascades):
            parents = [chance.randrange(max(0, node - 300), node) for node in range(1, PLANTED_SIZE)]
            self._later(first + number * ids.HOUR_MS, self._planted, _tree(parents, -1))

    def _planted(self, at: int, tree: _Tree) -> None:
        root = self._begin(at)
        if tree.asked < 0:
            self.roots.append(root.visit_id)
        self._follow(root, tree, 0)

    def _follow(self, visit: ScenarioVisit, tree: _Tree, node: int) -> None:
        if not tree.children[node]:
            return
        share = ScenarioShare(visit, CODES["copy"], 0)
        if node == tree.asked:
            self.chains.append((visit.visit_id, share.channel))
        self._later(visit.at + 1_000, self._report, share, visit.page)
        for index, child in enumerate(tree.children[node]):
            # No two at the same moment: their order would be undefined, and so would be the visitor's first.
            self._later(visit.at + 60_000 * (index + 2) + child, self._returns, share, False, tree, child)


def gap_of(visit_id: int) -> int:
    """How far apart (ms) the views of a visit are that sees several pages."""
    return 20_000 + visit_id % 200_000


def _planted_visits(chains: int, cascades: int) -> int:
    return chains * (1 + PLANTED_DEPTH + PLANTED_REACH) + cascades * PLANTED_SIZE


def _tree(parents: list[int], asked: int) -> _Tree:
    """``parents[i]`` is the parent of node i + 1."""
    children: list[list[int]] = [[] for _ in range(len(parents) + 1)]
    for node, parent in enumerate(parents, 1):
        children[parent].append(node)
    return _Tree(children, asked)
