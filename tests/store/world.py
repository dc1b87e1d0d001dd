"""A small random world of visits and shares: the truth in Python objects, and the rows a store would hold of it.

Whatever is asked of the store is answered here by looking at every object, so that the two can be compared.
"""

from __future__ import annotations

import random
from collections import Counter
from dataclasses import dataclass, field

from grapevine.domain import channels, enums, ids
from grapevine.domain.visit_evidence import CLICK_ID, COPIED_ADDRESS, DECIDED_BY, HIGHLIGHT_LINK
from grapevine.sites.cache import Site
from grapevine.store.rows import SiteRow

SITE = 7
FIRST_DAY = ids.day_at(1_790_000_000_000)
DAYS = 5
PAGES = [f"https://example.org/{name}" for name in ("", "vines", "grapes", "wine?year=2024")]
LINK = enums.SOURCES["link"]
CHANNELS = [channels.CODES[name] for name in ("copy", "whatsapp", "x")]
ORDINARY = [enums.SOURCES[name] for name in ("search", "direct-deep", "social")]


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


@dataclass(frozen=True)
class Refund:
    """What was taken back of a visit's conversion ``number``; ``value`` is below 0."""

    number: int
    at: int
    value: int
    currency: str


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
    refunds: list[Refund] = field(default_factory=list)

    @property
    def values(self) -> list[tuple[int, int | None, str | None]]:
        """Time, value and currency of its conversions and of what was taken back of them."""
        return [*self.conversions, *((one.at, one.value, one.currency) for one in self.refunds)]

    def order(self, number: int) -> str | None:
        """The ``id`` of a conversion: those have one that were refunded."""
        refunded = any(one.number == number for one in self.refunds)
        return f"{ids.visit_text(self.visit_id)}-{number}" if refunded else None

    @property
    def sharer(self) -> Visit | None:
        return self.through.visit if self.through else None

    @property
    def evidence(self) -> int | None:
        """What decided its source, and one of five sets of evidence; a link's own node has none."""
        if self.source == LINK:
            return None
        bits = (0, CLICK_ID, CLICK_ID | COPIED_ADDRESS, HIGHLIGHT_LINK, CLICK_ID | HIGHLIGHT_LINK)[self.visitor % 5]
        if self.through is not None:
            return DECIDED_BY["token"] | bits
        if self.source in (enums.SOURCES["direct-home"], enums.SOURCES["direct-deep"]):
            return DECIDED_BY["nothing"] | bits
        return DECIDED_BY["click-id" if bits == CLICK_ID else "referrer"] | bits

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
    def expires_at(self) -> int | None:
        """When the short links of a minted link end: those of every second one do."""
        return self.at + ids.DAY_MS if self.source == LINK and self.visit_id % 2 else None

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
    _refund(world, random.Random(f"refunds {seed}"))  # noqa: S311
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


def _refund(world: World, chance: random.Random) -> None:
    """Takes back some of what was paid, in one or two parts, some of it days later."""
    for visit in world.visits:
        for number, (at, value, currency) in enumerate(visit.conversions):
            if value is None or currency is None or chance.random() < 0.6:
                continue
            first = value if chance.random() < 0.3 else chance.randint(1, value)
            for part in (first, chance.randint(0, value - first)):
                if part:
                    later = at + chance.randint(0, 2 * ids.DAY_MS)
                    visit.refunds.append(Refund(number, later, -part, currency))


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
