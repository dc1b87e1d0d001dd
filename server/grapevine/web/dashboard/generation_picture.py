"""A small picture of the generations below a link: one dot for each depth, as large as the number of its visits."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

import msgspec

STEP: Final = 74
"""Pixels from one generation to the next."""
LARGEST: Final = 24
"""Radius of the largest generation. Areas are in proportion to visits."""
SMALLEST: Final = 4
"""Radius below which a dot would not be seen."""
MARGIN: Final = 30
HEIGHT: Final = 106
MIDDLE: Final = 34
MOST_DRAWN: Final = 12
"""Generations in the picture; all deeper ones are one dot."""
_SHADES: Final = 5


class GenerationDot(msgspec.Struct, frozen=True):
    """One generation: its depth, its visits, and where its dot is; ``deeper`` where it stands for all that follow."""

    depth: int
    visits: int
    x: int
    radius: float
    shade: int
    deeper: bool = False


class GenerationPicture(msgspec.Struct, frozen=True):
    """The dots from left to right, behind the link at ``margin``, all at the height ``middle``; sizes in pixels."""

    width: int
    dots: list[GenerationDot]
    height: int = HEIGHT
    margin: int = MARGIN
    middle: int = MIDDLE


def draw_generations(generations: Sequence[tuple[int, int]]) -> GenerationPicture:
    """Returns the picture of ``generations``, pairs of a depth and its visits in the order of depth."""
    drawn = [(depth, visits, False) for depth, visits in generations[:MOST_DRAWN]]
    rest = generations[MOST_DRAWN:]
    if rest:
        drawn.append((rest[0][0], sum(visits for _, visits in rest), True))
    most = max((visits for _, visits, _ in drawn), default=0)
    dots = [
        GenerationDot(
            depth=depth,
            visits=visits,
            x=MARGIN + STEP * index,
            radius=round(max(SMALLEST, LARGEST * math.sqrt(visits / most)), 1) if most else SMALLEST,
            shade=min(depth, _SHADES - 1),
            deeper=deeper,
        )
        for index, (depth, visits, deeper) in enumerate(drawn, 1)
    ]
    return GenerationPicture(width=2 * MARGIN + STEP * len(dots), dots=dots)
