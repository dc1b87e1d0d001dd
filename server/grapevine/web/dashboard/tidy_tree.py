"""Tidy tree layout in linear time.

Buchheim, Jünger, Leipert: Improving Walker's Algorithm to Run in Linear Time (Graph Drawing 2002). Nothing recurses, so
chains may have any length.
"""

from __future__ import annotations

from collections.abc import Sequence


def children_of(parents: Sequence[int | None]) -> list[list[int]]:
    """Returns each node's children in their order. ``parents[i]`` is the parent of node i and smaller; None at 0."""
    children: list[list[int]] = [[] for _ in parents]
    for node, parent in enumerate(parents):
        if parent is not None:
            children[parent].append(node)
    return children


def preorder(children: Sequence[Sequence[int]]) -> list[int]:
    """Returns all nodes, each before its children and these from first to last, beginning with node 0."""
    order = []
    waiting = [0] if children else []
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting.extend(reversed(children[node]))
    return order


def levels_of(parents: Sequence[int | None]) -> list[int]:
    """Returns the number of edges from node 0 to each node."""
    levels: list[int] = []
    for parent in parents:
        levels.append(0 if parent is None else levels[parent] + 1)
    return levels


def sizes_of(parents: Sequence[int | None]) -> list[int]:
    """Returns the size of each node's subtree, itself included."""
    sizes = [1] * len(parents)
    for node in range(len(parents) - 1, 0, -1):
        parent = parents[node]
        if parent is not None:
            sizes[parent] += sizes[node]
    return sizes


def tidy(parents: Sequence[int | None]) -> list[float]:
    """Returns the coordinate of each node across the direction of growth: from 0 on, in units of the least distance.

    Two nodes of one level are at least 1 apart and in their order, a parent stands in the middle of its children, and
    equal subtrees look equal.
    """
    if not parents:
        return []
    return _Layout(parents).coordinates()


class _Layout:
    """The state of the algorithm; names follow the paper."""

    def __init__(self, parents: Sequence[int | None]) -> None:
        count = len(parents)
        self.parents = parents
        self.children = children_of(parents)
        self.number = [0] * count
        for siblings in self.children:
            for position, node in enumerate(siblings):
                self.number[node] = position
        self.prelim = [0.0] * count
        self.mod = [0.0] * count
        self.shift = [0.0] * count
        self.change = [0.0] * count
        self.thread: list[int | None] = [None] * count
        self.ancestor = list(range(count))

    def coordinates(self) -> list[float]:
        order = preorder(self.children)
        default = [siblings[0] if siblings else 0 for siblings in self.children]
        for node in _postorder(self.children):
            self._place_over_children(node)
            parent = self.parents[node]
            if parent is not None:
                default[parent] = self._apportion(node, default[parent])
        coordinates = [0.0] * len(order)
        sums = [0.0] * len(order)
        for node in order:
            parent = self.parents[node]
            sums[node] = 0.0 if parent is None else sums[parent] + self.mod[parent]
            coordinates[node] = self.prelim[node] + sums[node]
        least = min(coordinates)
        return [coordinate - least for coordinate in coordinates]

    def _place_over_children(self, node: int) -> None:
        children = self.children[node]
        left = self._left_sibling(node)
        middle = 0.0
        if children:
            self._execute_shifts(node)
            middle = (self.prelim[children[0]] + self.prelim[children[-1]]) / 2
        if left is None:
            self.prelim[node] = middle
        else:
            self.prelim[node] = self.prelim[left] + 1
            self.mod[node] = self.prelim[node] - middle if children else 0.0

    def _left_sibling(self, node: int) -> int | None:
        parent = self.parents[node]
        if parent is None or self.number[node] == 0:
            return None
        return self.children[parent][self.number[node] - 1]

    def _next_left(self, node: int) -> int | None:
        children = self.children[node]
        return children[0] if children else self.thread[node]

    def _next_right(self, node: int) -> int | None:
        children = self.children[node]
        return children[-1] if children else self.thread[node]

    def _apportion(self, node: int, default: int) -> int:
        """Pushes the subtree of ``node`` away from those left of it."""
        parent = self.parents[node]
        left = self._left_sibling(node)
        if parent is None or left is None:
            return default
        inner_right, outer_right, inner_left, outer_left = node, node, left, self.children[parent][0]
        sum_ir, sum_or = self.mod[node], self.mod[node]
        sum_il, sum_ol = self.mod[inner_left], self.mod[outer_left]
        while True:
            next_il, next_ir = self._next_right(inner_left), self._next_left(inner_right)
            next_ol, next_or = self._next_left(outer_left), self._next_right(outer_right)
            if next_il is None or next_ir is None or next_ol is None or next_or is None:
                break
            inner_left, inner_right, outer_left, outer_right = next_il, next_ir, next_ol, next_or
            self.ancestor[outer_right] = node
            shift = self.prelim[inner_left] + sum_il - self.prelim[inner_right] - sum_ir + 1
            if shift > 0:
                candidate = self.ancestor[inner_left]
                mover = candidate if self.parents[candidate] == parent else default
                self._move_subtree(mover, node, shift)
                sum_ir += shift
                sum_or += shift
            sum_il += self.mod[inner_left]
            sum_ir += self.mod[inner_right]
            sum_ol += self.mod[outer_left]
            sum_or += self.mod[outer_right]
        if next_il is not None and self._next_right(outer_right) is None:
            self.thread[outer_right] = next_il
            self.mod[outer_right] += sum_il - sum_or
        if next_ir is not None and self._next_left(outer_left) is None:
            self.thread[outer_left] = next_ir
            self.mod[outer_left] += sum_ir - sum_ol
            default = node
        return default

    def _move_subtree(self, left: int, right: int, shift: float) -> None:
        share = shift / (self.number[right] - self.number[left])
        self.change[right] -= share
        self.change[left] += share
        self.shift[right] += shift
        self.prelim[right] += shift
        self.mod[right] += shift

    def _execute_shifts(self, node: int) -> None:
        shift = change = 0.0
        for child in reversed(self.children[node]):
            self.prelim[child] += shift
            self.mod[child] += shift
            change += self.change[child]
            shift += self.shift[child] + change


def _postorder(children: Sequence[Sequence[int]]) -> list[int]:
    """All nodes, each after its children and these from first to last."""
    order = []
    waiting = [0]
    while waiting:
        node = waiting.pop()
        order.append(node)
        waiting.extend(children[node])
    return order[::-1]
