"""The shape of a cascade: its breadth, and its structural virality (Goel, Anderson, Hofman, Watts 2016)."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import NamedTuple


class Shape(NamedTuple):
    """The largest generation, and the structural virality (None below two nodes): never raised step by step."""

    breadth: int
    virality: float | None


def cascade_shape(root: int, visits: Iterable[tuple[int, int | None, int]], erased: Container[int] = ()) -> Shape:
    """The shape of a cascade of ``root`` and the other (visit, parent, depth) of ``visits``, in O(n).

    Structural virality is the mean distance over all ordered pairs of nodes (Goel, Anderson, Hofman, Watts: The
    structural virality of online diffusion, 2016). An edge whose lower side holds s of the n nodes lies between
    s·(n − s) unordered pairs, so the mean is 2·Σ s·(n − s) / (n·(n − 1)). Visits whose parent is not there (past
    retention) are taken to hang on the root. Visits that were ``erased`` connect the others, and are no nodes
    themselves.
    """
    generations: dict[int, list[tuple[int, int | None]]] = {}
    sizes = {root: int(root not in erased)}
    for visit, parent, depth in visits:
        if visit != root:
            generations.setdefault(depth, []).append((visit, parent))
            sizes[visit] = int(visit not in erased)
    count = sum(sizes.values())
    breadth = max((sum(sizes[visit] for visit, _ in some) for some in generations.values()), default=1)
    between = 0
    for depth in sorted(generations, reverse=True):
        for visit, parent in generations[depth]:
            size = sizes[visit]
            between += size * (count - size)
            sizes[parent if parent in sizes else root] += size
    return Shape(breadth, 2 * between / (count * (count - 1)) if count > 1 else None)
