"""Share chains and cascades: the answers of the contract, and the pure functions that make them from rows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

import msgspec

from grapevine.domain import channels, enums, ids
from grapevine.domain.money import Amounts
from grapevine.domain.periods import rfc3339
from grapevine.domain.tokens import Tokens
from grapevine.store.rows import CascadeVisit

SORTS: Final = ("size", "depth", "virality", "value", "recent")


class Via(msgspec.Struct, frozen=True):
    """The share a visit arrived through: the ``n``-th on ``channel``, and the token that was in the URL."""

    token: str
    channel: str
    n: int


class ChainNode(msgspec.Struct, frozen=True, omit_defaults=True):
    """One visit on the way to a share. ``via`` is null at a root.

    ``self`` marks the sharer's own browser coming back to its own link, ``verdict`` why a visit is taken for no
    person's. An erased visit is ``erased``: that it was there is all that is known of it, so ``at``, ``url`` and
    ``source`` are null.
    """

    visit: str
    at: str | None
    url: str | None
    source: str | None
    depth: int
    via: Via | None
    is_self: bool = msgspec.field(default=False, name="self")
    verdict: str | None = None
    erased: bool = False


class SharedLink(msgspec.Struct, frozen=True):
    """One share: made in ``visit`` at ``depth``, through ``channel``, as its ``n``-th. ``url`` is the shared page.

    ``at`` is when it was first reported or proven; the visit's own time where neither has happened yet.
    """

    visit: str
    channel: str
    n: int
    url: str | None
    at: str
    depth: int
    reported: bool
    proven: bool
    returns: int
    self_returns: int
    unfurls: dict[str, int]


class Reach(msgspec.Struct, frozen=True):
    """Everything below one share, self-returns left out. ``max_depth`` counts from the root of the cascade."""

    visits: int
    shares: int
    max_depth: int
    conversions: int
    value: Amounts


class Resolution(msgspec.Struct, frozen=True, omit_defaults=True):
    """What a share token stands for. ``truncated``: older visits than the first of ``chain`` are past retention."""

    token: str
    share: SharedLink
    chain: list[ChainNode]
    reach: Reach
    truncated: bool = False


class Unresolved(msgspec.Struct, frozen=True):
    """A text that stands for no share; ``error`` is ``not-a-token``, ``bad-signature`` or ``unknown-visit``."""

    token: str
    error: str


class CascadeHead(msgspec.Struct, frozen=True):
    """A cascade in numbers. ``size`` counts visits, self-returns and minted links' own nodes left out.

    ``structural_virality`` is the mean distance over all pairs of nodes (Goel, Anderson, Hofman, Watts 2016), null
    below two nodes; ``breadth`` is the largest generation.
    """

    root: str
    url: str | None
    started_at: str
    last_at: str
    size: int
    max_depth: int
    breadth: int
    structural_virality: float | None
    shares: int
    conversions: int
    value: Amounts


class CascadePage(msgspec.Struct, frozen=True):
    """Some cascades in the order asked for; ``next`` is the cursor of those that follow, null after the last."""

    cascades: list[CascadeHead]
    next: str | None


class Arrival(msgspec.Struct, frozen=True):
    """The channel and number of the share a node of a cascade arrived through."""

    channel: str
    n: int


class CascadeNode(msgspec.Struct, frozen=True, omit_defaults=True):
    """One visit of a cascade, or the node of a minted link at its root. Erased visits keep only their place.

    ``verdict`` is why the first visit is taken for no person's; no other visit of the kind is a node.
    """

    visit: str
    parent: str | None
    via: Arrival | None
    depth: int
    at: str | None
    url: str | None
    source: str | None
    device: str | None
    conversions: int
    verdict: str | None = None
    erased: bool = False


class Cascade(CascadeHead, frozen=True):
    """A whole cascade: the head, and its nodes by depth and time, without self-returns."""

    nodes: list[CascadeNode]


class Shape(NamedTuple):
    """The largest generation, and the structural virality (None below two nodes): never raised step by step."""

    breadth: int
    virality: float | None


def chain(visits: Iterable[CascadeVisit], urls: Mapping[int, str], tokens: Tokens) -> list[ChainNode]:
    """The nodes of a chain, each with the token of the share it arrived through minted again."""
    return [
        ChainNode(
            visit=ids.visit_text(visit.visit_id),
            at=None if visit.is_erased else rfc3339(visit.at),
            url=None if visit.is_erased else urls.get(visit.page_id),
            source=None if visit.is_erased else enums.SOURCE_NAMES[visit.source],
            depth=visit.depth,
            via=_via(visit, tokens),
            is_self=visit.is_self,
            verdict=visit.verdict_name,
            erased=visit.is_erased,
        )
        for visit in visits
    ]


def _via(visit: CascadeVisit, tokens: Tokens) -> Via | None:
    sharer = visit.sharer_id
    if sharer is None or visit.channel is None or visit.n is None:
        return None
    (token,) = tokens.mint(sharer, (visit.channel,), visit.n)
    return Via(token, channels.NAMES[visit.channel], visit.n)


def nodes(visits: Iterable[CascadeVisit], urls: Mapping[int, str], conversions: Mapping[int, int]) -> list[CascadeNode]:
    """The nodes of a cascade, with how many ``conversions`` each visit had."""
    spelled: dict[int, str] = {}  # each is also its children's parent
    arrivals: dict[tuple[int, int], Arrival] = {}  # of which there are few

    def spell(visit_id: int) -> str:
        text = spelled.get(visit_id)
        if text is None:
            text = spelled[visit_id] = ids.visit_text(visit_id)
        return text

    def arrival(channel: int | None, n: int | None) -> Arrival | None:
        if channel is None or n is None:
            return None
        found = arrivals.get((channel, n))
        if found is None:
            found = arrivals[channel, n] = Arrival(channels.NAMES[channel], n)
        return found

    def node(visit: CascadeVisit) -> CascadeNode:
        erased = visit.is_erased
        return CascadeNode(
            visit=spell(visit.visit_id),
            parent=None if visit.parent_id is None else spell(visit.parent_id),
            via=arrival(visit.channel, visit.n),
            depth=visit.depth,
            at=None if erased else rfc3339(visit.at),
            url=None if erased else urls.get(visit.page_id),
            source=None if erased else enums.SOURCE_NAMES[visit.source],
            device=None if erased else enums.DEVICE_NAMES[visit.device],
            conversions=conversions.get(visit.visit_id, 0),
            verdict=None if erased else visit.verdict_name,
            erased=erased,
        )

    return [node(visit) for visit in visits]


def shape(root: int, below: Iterable[tuple[int, int | None, int]]) -> Shape:
    """The shape of a cascade of ``root`` and the (visit, parent, depth) ``below`` it, in O(n).

    Structural virality is the mean distance over all ordered pairs of nodes (Goel, Anderson, Hofman, Watts: The
    structural virality of online diffusion, 2016). An edge whose lower side holds s of the n nodes lies between
    s·(n − s) unordered pairs, so the mean is 2·Σ s·(n − s) / (n·(n − 1)). Visits whose parent is not there (past
    retention) are taken to hang on the root.
    """
    generations: dict[int, list[tuple[int, int | None]]] = {}
    sizes = {root: 1}
    for visit, parent, depth in below:
        if visit != root:
            generations.setdefault(depth, []).append((visit, parent))
            sizes[visit] = 1
    count = len(sizes)
    between = 0
    for depth in sorted(generations, reverse=True):
        for visit, parent in generations[depth]:
            size = sizes[visit]
            between += size * (count - size)
            sizes[parent if parent in sizes else root] += size
    breadth = max(map(len, generations.values()), default=1)
    return Shape(breadth, 2 * between / (count * (count - 1)) if count > 1 else None)
