"""A small random world of visits and shares: the truth in Python objects, and the rows a store would hold of it.

Whatever is asked of the store is answered here by looking at every object, so that the two can be compared.
"""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from grapevine.domain import channels, enums, ids
from grapevine.domain.urls import page_id
from grapevine.sites.cache import Site
from grapevine.store.rows import ASIDE, SAME_NETWORK, SiteRow

SITE = 7
FIRST_DAY = ids.day_at(1_790_000_000_000)
DAYS = 5
PAGES = [f"https://example.org/{name}" for name in ("", "vines", "grapes", "wine?year=2024")]
LINK = enums.SOURCES["link"]
CHANNELS = [channels.CODES[name] for name in ("copy", "whatsapp", "x")]
ORDINARY = [enums.SOURCES[name] for name in ("search", "direct-deep", "social")]

MEASURES = (
    "views visits visitors returns self_returns same_network shares reported proven conversions unlinked unfurls"
).split()


@dataclass(eq=False)
class Share:
    """One act of sharing."""

    visit: Visit
    channel: int
    n: int
    page: str | None = None
    reported_at: int | None = None
    openings: list[Visit] = field(default_factory=list)
    unfurls: list[tuple[str, int]] = field(default_factory=list)

    @property
    def key(self) -> tuple[int, int, int]:
        return self.visit.visit_id, self.channel, self.n

    @property
    def returns(self) -> list[Visit]:
        return [visit for visit in self.openings if not visit.aside]

    @property
    def self_returns(self) -> list[Visit]:
        return [visit for visit in self.openings if visit.own and visit.verdict is None]

    @property
    def proven_at(self) -> int | None:
        return min((visit.at for visit in self.returns), default=None)

    @property
    def reporter(self) -> int | None:
        """The code of its reporter: with a page its session, or a report from before they were kept."""
        if self.reported_at is None or (self.page and self.n % 2):
            return None
        return enums.SHARE_REPORTERS["session" if self.page else "token"]

    @property
    def first_at(self) -> int | None:
        return min((at for at in (self.reported_at, self.proven_at) if at is not None), default=None)


@dataclass(eq=False)
class Visit:
    """One arrival, or a minted link's own node."""

    visit_id: int
    at: int
    page: str
    source: int
    device: int
    app: str | None
    visitor: int
    views: int
    through: Share | None = None
    own: bool = False
    same_network: bool = False
    verdict: int | None = None
    conversions: list[tuple[int, int | None, str | None]] = field(default_factory=list)
    """Time, value and currency; pages and keys reported them in alternation."""

    @property
    def sharer(self) -> Visit | None:
        return self.through.visit if self.through else None

    @property
    def network(self) -> int:
        """One of fifteen networks of a day, five in each of three wide networks."""
        return self.visitor % 3 << 24 | self.visitor % 15 // 3 + 1

    @property
    def parent(self) -> Visit | None:
        sharer = self.sharer
        return sharer.parent or sharer if sharer and sharer.aside else sharer

    @property
    def aside(self) -> bool:
        """Whether it is not counted in its cascade, and nothing hangs on it."""
        return self.own or (self.verdict is not None and self.through is not None)

    @property
    def counts(self) -> bool:
        """Whether the visit counts as a person's."""
        return self.source != LINK and self.verdict is None

    @property
    def root(self) -> Visit:
        return self.parent.root if self.parent else self

    @property
    def depth(self) -> int:
        return self.sharer.depth + (0 if self.aside else 1) if self.sharer else 0

    @property
    def returned(self) -> bool:
        return self.through is not None and not self.aside

    @property
    def arrival(self) -> int:
        return self.through.channel if self.through else enums.NO_CHANNEL


@dataclass
class World:
    """One site's truth."""

    site_id: int
    visits: list[Visit] = field(default_factory=list)
    shares: dict[tuple[int, int, int], Share] = field(default_factory=dict)
    unlinked: list[tuple[int, int, str, int]] = field(default_factory=list)
    drops: Counter[tuple[int, str]] = field(default_factory=Counter)

    def share(self, visit: Visit, channel: int, n: int) -> Share:
        key = (visit.visit_id, channel, n)
        if key not in self.shares:
            self.shares[key] = Share(visit, channel, n)
        return self.shares[key]

    def first_of_day(self) -> set[int]:
        """The visits that are their visitor's first of a day."""
        first: dict[tuple[int, int], Visit] = {}
        for visit in self.real_visits():
            key = (ids.day_at(visit.at), visit.visitor)
            if key not in first or visit.at < first[key].at:
                first[key] = visit
        return {visit.visit_id for visit in first.values()}

    def real_visits(self) -> list[Visit]:
        return [visit for visit in self.visits if visit.counts]

    def below(self, share: Share) -> list[Visit]:
        """All visits below a share, those left out that stand aside."""
        found: list[Visit] = list(share.returns)
        for visit in found:
            found += [child for child in self.visits if child.parent is visit and not child.aside]
        return found

    def members(self, root: Visit) -> list[Visit]:
        """All nodes of a cascade, those left out that stand aside."""
        return [visit for visit in self.visits if visit.root is root and not visit.aside]

    def roots(self) -> list[Visit]:
        """The roots of what has a summary: something came back."""
        return [visit for visit in self.visits if visit.parent is None and len(self.members(visit)) > 1]


def grow(seed: int, site_id: int = SITE, size: int = 150, *, unlinked: bool = True) -> World:
    """A random world; the same seed grows the same one."""
    chance = random.Random(seed)  # noqa: S311
    world = World(site_id)
    start = ids.day_start(FIRST_DAY)
    times = sorted(chance.sample(range(start, start + DAYS * ids.DAY_MS), size))
    for number, at in enumerate(times):
        opened = _opened(world, chance) if world.visits and chance.random() < 0.7 else None
        cell = ids.cell_of(opened.visit.visit_id) if opened else chance.randrange(ids.CELLS)
        source = enums.SOURCES["share"] if opened else LINK if number % 17 == 5 else chance.choice(ORDINARY)
        visit = Visit(
            visit_id=ids.pack(ids.day_at(at) + chance.choice((-1, 0, 0, 0, 1)), cell, chance.getrandbits(32)),
            at=at,
            page=chance.choice(PAGES),
            source=source,
            device=chance.choice(list(enums.DEVICES.values())),
            app=chance.choice((None, None, "instagram", "facebook")),
            visitor=ids.day_at(at) * 1_000 + chance.randrange(15),
            views=0 if source == LINK else chance.randint(1, 4),
            through=opened,
            own=opened is not None and chance.random() < 0.2,
            same_network=opened is not None and chance.random() < 0.2,
            verdict=None if source == LINK or chance.random() < 0.9 else chance.choice(list(enums.VERDICTS.values())),
        )
        world.visits.append(visit)
        if opened:
            opened.openings.append(visit)
        _act(world, visit, chance)
    if unlinked:
        world.unlinked = [
            (at, chance.choice(ORDINARY), chance.choice(PAGES), chance.choice(list(enums.DEVICES.values())))
            for at in chance.sample(times, 9)
        ]
    for at in chance.sample(times, 12):
        world.drops[at // ids.HOUR_MS, chance.choice(enums.DROP_REASONS)] += chance.randint(1, 5)
    return world


def _opened(world: World, chance: random.Random) -> Share:
    visit = chance.choice(world.visits[-25:])
    return world.share(visit, chance.choice(CHANNELS), chance.choice((0, 0, 0, 1)))


def _act(world: World, visit: Visit, chance: random.Random) -> None:
    if chance.random() < 0.3:
        share = world.share(visit, chance.choice(CHANNELS), chance.choice((0, 1, 7)))
        share.reported_at = visit.at + chance.randint(0, ids.DAY_MS)
        share.page = chance.choice(PAGES)
    if chance.random() < 0.2:
        share = world.share(visit, chance.choice(CHANNELS), 0)
        share.unfurls = [
            (app, visit.at + hour * ids.HOUR_MS) for hour, app in enumerate(chance.choices(("whatsapp", "slack"), k=2))
        ]
    for _ in range(chance.choice((0, 0, 0, 1, 2))):
        value = chance.choice((None, 49_000_000, 1_234_500, 7))
        currency = None if value is None else chance.choice(("EUR", "JPY"))
        visit.conversions.append((visit.at + chance.randint(0, ids.DAY_MS), value, currency))


def rows_of(world: World) -> dict[str, Iterable[tuple[Any, ...]]]:
    """The rows of a world in a store, with its counts and summaries."""
    site = world.site_id
    shares = [share for share in world.shares.values() if share.reported_at or share.openings]
    counts = _counts(world)
    return {
        "pages": [
            (site, number, number % ids.CELLS, FIRST_DAY, page, None)
            for page in PAGES for number in [page_id(site, page)]
        ],
        "visits": [_visit_row(site, visit) for visit in world.visits],
        "shares": [
            (
                site, share.visit.visit_id, ids.cell_of(share.visit.visit_id), share.channel, share.n,
                page_id(site, share.page) if share.page and share.reported_at else None, share.first_at,
                share.reported_at, share.proven_at, len(share.returns), len(share.self_returns), None,
                share.reporter, None,
            )
            for share in shares
        ],
        "unfurls": [
            (site, share.visit.visit_id, ids.cell_of(share.visit.visit_id), share.channel, share.n, app,
             at // ids.HOUR_MS, at)
            for share in world.shares.values() for app, at in share.unfurls
        ],
        "conversions": [
            (site, visit.visit_id, ids.cell_of(visit.visit_id), "signup", number, None, at, value, currency, number % 2)
            for visit in world.visits for number, (at, value, currency) in enumerate(visit.conversions)
        ],
        "drops": [(site, hour, reason, 1, number) for (hour, reason), number in world.drops.items()],
        "cascades": [_cascade_row(world, root) for root in world.roots()],
        **counts,
        "counts_week": _weeks(counts["counts_page"]),
        "counts_shared": _shared(world),
    }  # fmt: skip


def _visit_row(site: int, visit: Visit) -> tuple[Any, ...]:
    parent, sharer = visit.parent, visit.sharer
    flags = (ASIDE if visit.aside else 0) | (SAME_NETWORK if visit.same_network else 0)
    return (
        site, visit.visit_id, ids.cell_of(visit.visit_id), 0, visit.at, visit.views + 1,
        page_id(site, visit.page), visit.source, visit.device, visit.app, visit.visitor,
        visit.through.channel if visit.through else None, visit.through.n if visit.through else None,
        sharer.visit_id if sharer and sharer is not parent else None, parent.visit_id if parent else None,
        visit.root.visit_id if parent else None, visit.depth, flags, None, visit.verdict, visit.network,
    )  # fmt: skip


def _cascade_row(world: World, root: Visit) -> tuple[Any, ...]:
    members = world.members(root)
    return (
        world.site_id, root.visit_id, ids.cell_of(root.visit_id), page_id(world.site_id, root.page), root.at,
        max(visit.at for visit in members), sum(visit.counts for visit in members),
        max(visit.depth for visit in members),
        sum(share.first_at is not None for share in world.shares.values()
            if share.visit.root is root and share.visit.verdict is None),
        sum(len(visit.conversions) for visit in world.visits if visit.root is root and visit.verdict is None),
        None, None, 0, 0, None,
    )  # fmt: skip


def _counts(world: World) -> dict[str, list[tuple[Any, ...]]]:
    """The tables of counts, each number split over two slots."""
    site = world.site_id
    names = ("counts_hour", "counts_day", "counts_page", "counts_device")
    tables: dict[str, dict[tuple[Any, ...], Counter[str]]] = {name: {} for name in names}

    def add(visit: Visit, at: int, channel: int, **measures: int) -> None:
        hour, day = at // ids.HOUR_MS, ids.day_at(at)
        keys: list[tuple[str, tuple[Any, ...]]] = [
            ("counts_hour", (hour, visit.source, channel, visit.depth)),
            *(
                ("counts_day", (day, *key))
                for key in ((0, channel), (1, visit.source), (2, visit.depth), (3, hour % 24))
            ),
            ("counts_page", (day, page_id(site, visit.page))),
            ("counts_device", (day, visit.device, visit.app or "")),
        ]
        for table, key in keys:
            tables[table].setdefault(key, Counter()).update(measures)

    first = world.first_of_day()
    for visit in world.visits:
        if visit.verdict is not None:
            continue
        if visit.counts:
            add(
                visit, visit.at, visit.arrival, views=visit.views, visits=1, visitors=int(visit.visit_id in first),
                returns=int(visit.returned), self_returns=int(visit.own),
                same_network=int(visit.returned and visit.same_network),
            )  # fmt: skip
        for at, _, _ in visit.conversions:
            add(visit, at, visit.arrival, conversions=1)
    for share in world.shares.values():
        if share.first_at is not None and share.visit.verdict is None:
            add(
                share.visit,
                share.first_at,
                share.channel,
                shares=1,
                reported=int(share.reported_at is not None),
                proven=int(share.proven_at is not None),
            )
        for app, at in share.unfurls:
            day, hour = ids.day_at(at), at // ids.HOUR_MS % 24
            tables["counts_device"].setdefault((day, 0, app), Counter())["unfurls"] += 1
            tables["counts_day"].setdefault((day, 3, hour), Counter())["unfurls"] += 1
    for at, source, page, device in world.unlinked:
        ghost = Visit(0, at, page, source, device, None, 0, 1)
        add(ghost, at, enums.NO_CHANNEL, views=1, unlinked=1)
    return {
        table: [
            (site, *key, slot, *((measures[name] + slot) // 2 for name in MEASURES))
            for key, measures in counts.items()
            for slot in (0, 1)
        ]
        for table, counts in tables.items()
    }


def _weeks(days: Iterable[tuple[Any, ...]]) -> list[tuple[Any, ...]]:
    """The counts by page and week: what those by day add up to."""
    weekly = [MEASURES.index(name) for name in ("views", "visits", "returns", "shares", "proven", "unlinked")]
    weeks: dict[tuple[int, ...], list[int]] = {}
    for site, day, page, slot, *numbers in days:
        total = weeks.setdefault((site, day // 7, page, slot), [0] * len(weekly))
        for index, measure in enumerate(weekly):
            total[index] += numbers[measure]
    return [(*key, *total) for key, total in weeks.items()]


def _shared(world: World) -> list[tuple[Any, ...]]:
    """The counts of shares by page, each split over two slots."""
    shared = Counter(
        (page_id(world.site_id, share.page if share.page and share.reported_at else share.visit.page), share.channel)
        for share in world.shares.values()
        if share.first_at is not None and share.visit.verdict is None
    )
    return [(world.site_id, *key, slot, (number + slot) // 2) for key, number in shared.items() for slot in (0, 1)]


def site_of(world: World) -> Site:
    """The world's site, with its tokens."""
    row = SiteRow(
        site_id=world.site_id,
        key=f"key{world.site_id}",
        name="Vines",
        salt="00" * 16,
        param="gv",
        place="auto",
        query="*",
        created_at=0,
        origins=("https://example.org",),
    )
    return Site(row, [b"secret"])
