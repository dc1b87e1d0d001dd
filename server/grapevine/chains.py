"""Share chains and cascades: the answers of the contract, and the pure functions that make them from rows."""

from __future__ import annotations

from typing import Final

import msgspec

from grapevine.money import Amounts

SORTS: Final = ("size", "depth", "virality", "value", "recent")


class Via(msgspec.Struct, frozen=True):
    """The share a visit arrived through: the ``n``-th on ``channel``, and the token that was in the URL."""

    token: str
    channel: str
    n: int


class ChainNode(msgspec.Struct, frozen=True, omit_defaults=True):
    """One visit on the way to a share. ``via`` is null at a root.

    ``self`` marks the sharer's own browser coming back to its own link. An erased visit is ``erased``: that it was
    there is all that is known of it, so ``at``, ``url`` and ``source`` are null.
    """

    visit: str
    at: str | None
    url: str | None
    source: str | None
    depth: int
    via: Via | None
    is_self: bool = msgspec.field(default=False, name="self")
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
    """One visit of a cascade, or the node of a minted link at its root. Erased visits keep only their place."""

    visit: str
    parent: str | None
    via: Arrival | None
    depth: int
    at: str | None
    url: str | None
    source: str | None
    device: str | None
    conversions: int
    erased: bool = False


class Cascade(CascadeHead, frozen=True):
    """A whole cascade: the head, and its nodes by depth and time, without self-returns."""

    nodes: list[CascadeNode]
