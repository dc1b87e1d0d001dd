"""Positions of nodes in pixels: in columns from left to right, or in rings from the middle outwards."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import Final

from grapevine.web.dashboard import tidy_tree

_WIDE: Final = 1080
"""The width in pixels up to which a picture in columns fits a page on a desktop screen."""

_LEAST_DISTANCE: Final = 13
"""Pixels between the centres of two neighbours in a ring."""

_STEP: Final = 78
_RING_MARGIN: Final = 36

Spot = tuple[float, float]


class Columns:
    """A column for each generation. ``roomy`` leaves space for a caption below each node."""

    def __init__(self, parents: Sequence[int | None], roomy: bool) -> None:
        levels, across = tidy_tree.levels_of(parents), tidy_tree.tidy(parents)
        least, most = (150, 216) if roomy else (128, 210)
        left, right, edge, row = (72, 72, 36, 66) if roomy else (24, 60, 24, 25)
        column = min(most, max(least, (_WIDE - left - right) / max(1, *levels, 1)))
        self.radius = 9.0 if roomy else 5.5
        self.width = round(left + right + column * max(levels))
        self.height = round(2 * edge + row * max(across) + (14 if roomy else 0))
        self.spots = [
            (round(left + column * level, 1), round(edge + row * coordinate, 1))
            for level, coordinate in zip(levels, across, strict=True)
        ]

    def line(self, child: int, parent: int) -> str:
        """The path from a parent to its child, level where it ends."""
        (x0, y0), (x1, y1) = self.spots[parent], self.spots[child]
        width = x1 - x0
        return f"M{x0} {y0}C{x0 + 0.26 * width:.1f} {y0} {x0 + 0.16 * width:.1f} {y1} {x0 + 0.42 * width:.1f} {y1}H{x1}"

    def turn(self, _: int) -> float:
        """The direction in which the tree grows at a node, in degrees clockwise from the right."""
        return 0.0


class Rings:
    """A ring for each generation, wide enough that no two of its nodes touch. The picture is as large as they need."""

    def __init__(self, parents: Sequence[int | None]) -> None:
        levels, across = tidy_tree.levels_of(parents), tidy_tree.tidy(parents)
        turn = math.tau / (max(across) + 1)
        rings = _rings(levels, across, turn)
        self.radius = 5.0
        self._angles = [coordinate * turn - math.pi / 2 for coordinate in across]
        self._distances = [rings[level] for level in levels]
        self._middle = (0.0, 0.0)
        spots = list(map(self._spot, self._angles, self._distances))
        left, top = min(x for x, _ in spots), min(y for _, y in spots)
        self._middle = (_RING_MARGIN - left, _RING_MARGIN - top)
        self.spots = list(map(self._spot, self._angles, self._distances))
        self.width = round(max(x for x, _ in self.spots) + _RING_MARGIN)
        self.height = round(max(y for _, y in self.spots) + _RING_MARGIN)

    def line(self, child: int, parent: int) -> str:
        """The path from a parent to its child, square to the rings where it begins and ends."""
        middle = (self._distances[child] + self._distances[parent]) / 2
        bend = self._spot(self._angles[parent] if self._distances[parent] else self._angles[child], middle)
        end = self._spot(self._angles[child], middle)
        (x0, y0), (x1, y1) = self.spots[parent], self.spots[child]
        return f"M{x0} {y0}C{bend[0]} {bend[1]} {end[0]} {end[1]} {x1} {y1}"

    def turn(self, node: int) -> float:
        """The direction in which the tree grows at a node, in degrees clockwise from the right (-90…270)."""
        return round(math.degrees(self._angles[node]), 1)

    def _spot(self, angle: float, distance: float) -> Spot:
        return (
            round(self._middle[0] + distance * math.cos(angle), 1),
            round(self._middle[1] + distance * math.sin(angle), 1),
        )


def _rings(levels: Sequence[int], across: Sequence[float], turn: float) -> list[float]:
    """The distance of each ring from the middle: at least a step, more where its closest two nodes need it."""
    by_ring: list[list[float]] = [[] for _ in range(max(levels) + 1)]
    for level, coordinate in zip(levels, across, strict=True):
        by_ring[level].append(coordinate)
    rings = [0.0]
    for ring in by_ring[1:]:
        closest = min((right - left for left, right in pairwise(sorted(ring))), default=math.inf)
        chord = 2 * math.sin(min(closest * turn, math.pi) / 2)
        rings.append(max(rings[-1] + _STEP, _LEAST_DISTANCE / chord))
    return rings
