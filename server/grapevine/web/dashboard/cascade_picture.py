"""One cascade as a picture and as a list: which nodes are shown, their positions and their captions.

A small tree grows from left to right, a generation a column; a large one from the middle out, a generation a ring. Of a
big cascade the nodes with the largest subtrees are shown; what else hangs on each is one marker with its number.
"""

from __future__ import annotations

import heapq
from collections import Counter
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

import msgspec

from grapevine.analytics.cascades import Cascade, CascadeNode
from grapevine.domain.canonical_urls import readable
from grapevine.domain.enums import DEEPEST
from grapevine.web.dashboard import formats, labels, tidy_tree
from grapevine.web.dashboard.tree_layout import Columns, Rings

MOST_SHOWN: Final = 300
"""Each node may have one marker, so a picture has at most twice as many shapes."""

_ROOMY: Final = 16
_DENSE: Final = 60
_RINGS: Final = 9
_SHADES: Final = 5


class Dot(msgspec.Struct, frozen=True):
    """A node as drawn, with its caption; ``turn`` rotates that around the node (degrees, clockwise).

    ``more``: how many visits a marker stands for.
    """

    x: float
    y: float
    radius: float
    shade: int
    title: str
    label: str | None
    text_x: float
    text_y: float
    text_ends: bool = False
    turn: float = 0
    anchor: str | None = None
    more: int = 0
    converted: bool = False
    erased: bool = False
    is_root: bool = False


class Edge(msgspec.Struct, frozen=True):
    """A line from a parent to a child, with the channel's name where it ends."""

    path: str
    family: str
    label: str | None
    x: float
    y: float


class PictureRow(msgspec.Struct, frozen=True):
    """A node as a line of nested lists. ``opens``: its children follow; ``closes``: so many lists end after it."""

    node: CascadeNode | None
    more: int
    opens: bool
    closes: int
    after: str | None


class Generation(msgspec.Struct, frozen=True):
    """All visits of one depth, or from ``63+`` on, with the channels they arrived through, most used first."""

    depth: str
    visits: int
    conversions: int
    channels: list[tuple[str, int]]


class Drawing(msgspec.Struct, frozen=True):
    """The picture (pixels), the same nodes as a list, and the generations. ``hidden`` visits are only in markers.

    ``kind`` is roomy (few nodes, with captions), dense (columns) or radial (rings).
    """

    width: int
    height: int
    kind: str
    dots: list[Dot]
    edges: list[Edge]
    families: list[str]
    rows: list[PictureRow]
    generations: list[Generation]
    hidden: int

    @property
    def radial(self) -> bool:
        """Whether it grows from the middle outwards."""
        return self.kind == "radial"


def draw(cascade: Cascade, most: int = MOST_SHOWN) -> Drawing:
    """Returns the drawing of a cascade that shows the ``most`` nodes of ``shown_nodes`` one by one."""
    nodes = cascade.nodes
    parents = _parents(nodes)
    shown = shown_nodes(parents, most)
    sizes = tidy_tree.sizes_of(parents)
    index_of = {node: position for position, node in enumerate(shown)}
    outline: list[int | None] = []
    for node in shown:
        parent = parents[node]
        outline.append(None if parent is None else index_of[parent])
    hidden = [sizes[node] - 1 for node in shown]
    for position in range(len(shown) - 1, 0, -1):
        parent_index = outline[position]
        if parent_index is not None:
            hidden[parent_index] -= sizes[shown[position]]
    markers = [position for position in range(len(shown)) if hidden[position]]
    outline += markers
    more = [0] * len(shown) + [hidden[position] for position in markers]
    drawn: list[CascadeNode | None] = [nodes[node] for node in shown]
    drawn += [None] * len(markers)
    return _Picture(cascade, outline, drawn, more).drawing(_generations(nodes))


def shown_nodes(parents: Sequence[int | None], most: int) -> list[int]:
    """Returns the ``most`` nodes with the largest subtrees in their own order; of equal ones the earlier.

    A parent's subtree is larger than its child's, so each comes with all its ancestors. Where a single visit would be
    left out below a node, it is shown too: its marker would take as much room.
    """
    sizes = tidy_tree.sizes_of(parents)
    shown = set(heapq.nsmallest(max(most, 1), range(len(parents)), key=lambda node: (-sizes[node], node)))
    left_out = Counter(parents[node] for node in range(len(parents)) if node not in shown)
    lonely = [
        node
        for node, parent in enumerate(parents)
        if node not in shown and parent in shown and sizes[node] == left_out[parent] == 1
    ]
    return sorted([*shown, *lonely])


class _Picture:
    def __init__(
        self,
        cascade: Cascade,
        parents: list[int | None],
        nodes: list[CascadeNode | None],
        more: list[int],
    ) -> None:
        self.cascade = cascade
        self.parents = parents
        self.nodes = nodes
        self.more = more
        self.children = tidy_tree.children_of(parents)
        self.levels = tidy_tree.levels_of(parents)
        self.before: list[CascadeNode | None] = [None] * len(nodes)
        for siblings in self.children:
            for left, right in pairwise(siblings):
                self.before[right] = nodes[left]
        self.kind = _kind(len(nodes), max(self.levels))
        self.stage: Columns | Rings = (
            Rings(parents) if self.kind == "radial" else Columns(parents, self.kind == "roomy")
        )

    def drawing(self, generations: list[Generation]) -> Drawing:
        found = {labels.family(node.via.channel) for node in self.nodes if node and node.via}
        return Drawing(
            width=self.stage.width,
            height=self.stage.height,
            kind=self.kind,
            dots=[self._dot(index) for index in range(len(self.nodes))],
            edges=[self._edge(index, parent) for index, parent in enumerate(self.parents) if parent is not None],
            families=[family for family in labels.FAMILIES if family in found],
            rows=self._rows(),
            generations=generations,
            hidden=sum(self.more),
        )

    def _dot(self, index: int) -> Dot:
        node = self.nodes[index]
        (x, y), radius = self.stage.spots[index], self.stage.radius
        if node is None:
            turn = self.stage.turn(index)
            upside_down = turn > 90
            return Dot(
                x=x,
                y=y,
                radius=radius,
                shade=0,
                title=formats.count(self.more[index], "more visit"),
                label=f"+{formats.number(self.more[index])}",
                text_x=x + (-9 if upside_down else 9),
                text_y=y + 4,
                turn=turn - 180 if upside_down else turn,
                text_ends=upside_down,
                more=self.more[index],
            )
        label = None
        if self.kind == "roomy":
            after = formats.elapsed(self.cascade.started_at, node.at)
            label = "erased" if node.erased else f"+{after}" if index else formats.moment(node.at)
        return Dot(
            x=x,
            y=y,
            radius=radius * (1 if index else 1.25),
            shade=min(self.levels[index], _SHADES - 1),
            title=self._title(node),
            label=label,
            text_x=x,
            text_y=round(y + radius + 18, 1),
            anchor=f"v-{node.visit}",
            converted=bool(node.conversions),
            erased=node.erased,
            is_root=index == 0,
        )

    def _title(self, node: CascadeNode) -> str:
        if node.erased:
            return f"A visit at depth {node.depth}, erased since"
        parts = [f"Visit at depth {node.depth}, {formats.moment(node.at)} UTC"]
        if node.source == "link":
            name = node.link.label or node.link.campaign or node.link.external_id if node.link else None
            parts = [f"Tracked link{f' “{name}”' if name else ''}, made {formats.moment(node.at)} UTC"]
        if node.via:
            parts.append(f"came through {labels.channel(node.via.channel)} ({labels.nth(node.via.n)} share)")
        if node.url:
            parts.append(readable(node.url))
        if node.conversions:
            parts.append(formats.count(node.conversions, "conversion"))
        return " · ".join(parts)

    def _edge(self, index: int, parent: int) -> Edge:
        node = self.nodes[index]
        via = node.via if node else None
        x, y = self.stage.spots[index]
        return Edge(
            path=self.stage.line(index, parent),
            family=labels.family(via.channel) if via else "more",
            label=labels.channel(via.channel) if via and self._says_its_channel(index) else None,
            x=round(x - self.stage.radius - 6, 1),
            y=round(y - (7 if self.kind == "roomy" else 6), 1),
        )

    def _says_its_channel(self, index: int) -> bool:
        """Returns whether an edge has a caption: none in rings, in dense columns the first of equal siblings."""
        if self.kind != "dense":
            return self.kind == "roomy"
        node, before = self.nodes[index], self.before[index]
        return not (node and node.via and before and before.via and before.via.channel == node.via.channel)

    def _rows(self) -> list[PictureRow]:
        order = tidy_tree.preorder(self.children)
        following = [*(self.levels[index] for index in order[1:]), 0]
        rows = []
        for index, next_level in zip(order, following, strict=True):
            node = self.nodes[index]
            opens = bool(self.children[index])
            rows.append(
                PictureRow(
                    node=node,
                    more=self.more[index],
                    opens=opens,
                    closes=0 if opens else self.levels[index] - next_level,
                    after=formats.elapsed(self.cascade.started_at, node.at) if node and index else None,
                )
            )
        return rows


def _kind(count: int, depth: int) -> str:
    if count <= _ROOMY:
        return "roomy"
    return "radial" if count > _DENSE and depth <= _RINGS else "dense"


def _parents(nodes: Sequence[CascadeNode]) -> list[int | None]:
    """Returns the index of each node's parent. A node whose parent is not stored becomes a child of the first node."""
    positions = {node.visit: position for position, node in enumerate(nodes)}
    parents: list[int | None] = []
    for position, node in enumerate(nodes):
        parent = positions.get(node.parent or "", 0)
        parents.append(None if position == 0 else parent if parent < position else 0)
    return parents


def _counts(node: CascadeNode) -> bool:
    """Whether a node is one of the visits that the size of its cascade counts."""
    return node.source != "link" and not node.erased and node.verdict is None


def _generations(nodes: Sequence[CascadeNode]) -> list[Generation]:
    by_depth: dict[int, list[CascadeNode]] = {}
    for node in nodes:
        by_depth.setdefault(min(node.depth, DEEPEST), []).append(node)
    return [
        Generation(
            depth=f"{depth}+" if depth == DEEPEST else str(depth),
            visits=sum(_counts(node) for node in generation),
            conversions=sum(node.conversions for node in generation),
            channels=Counter(node.via.channel for node in generation if node.via).most_common(),
        )
        for depth, generation in sorted(by_depth.items())
    ]
