"""What the model believes before it sees a site, as grids of values with their weights.

| value | meaning | belief |
|---|---|---|
| share | the dark part of the deep direct visits | uniform from 0 to 1 |
| ratio b | dark visits a private return | log-normal, median 1.2, 90 % from 0.4 to 4.2 |
| spread of bookmarks | of pages' direct visits per usual visit, logarithmic | 0.3, 0.55 or 0.9 |
| spread of ratios | of pages' own b around the site's, relative | 0.2 or 0.5 |

The ratio is what visits alone hardly show: how many returns a copied address brings compared with a tagged share. As
many copies as tagged shares, with as many readers either way, give a ratio of one; three times as many or as few stay
well inside the belief.
"""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Final

RATIO_MEDIAN: Final = 0.2
"""The logarithm of the median of the ratio: as many copies as tagged shares, and some tokens lost on the way."""
RATIO_SPREAD: Final = 0.75
"""The standard deviation of its logarithm."""
_REACH: Final = 2.5
_STEPS: Final = 13

RATIOS: Final = [
    math.exp(RATIO_MEDIAN + RATIO_SPREAD * (2 * step / (_STEPS - 1) - 1) * _REACH) for step in range(_STEPS)
]
RATIO_SPREADS: Final = (0.2, 0.5)
LEFT: Final = (0.03, 0.08, 0.16, 0.25, 0.34, 0.44, 0.54, 0.64, 0.74, 0.84, 0.94, 1.05)
"""Bookmarks as a part of all deep direct visits: one minus the share. The last is beyond one, since pages scatter."""
LEFT_SPREADS: Final = (0.3, 0.55, 0.9)

LEFT_GRID: Final = [(left, spread) for left in LEFT for spread in LEFT_SPREADS]
RATIO_GRID: Final = [(ratio, spread) for ratio in RATIOS for spread in RATIO_SPREADS]


def _widths(values: tuple[float, ...]) -> list[float]:
    """The stretch of a uniform belief that each value stands for."""
    ends = [values[0], *((a + b) / 2 for a, b in pairwise(values)), values[-1]]
    return [b - a for a, b in pairwise(ends)]


LEFT_LOG_WEIGHTS: Final = [math.log(width) for width in _widths(LEFT) for _ in LEFT_SPREADS]
RATIO_LOG_WEIGHTS: Final = [
    -0.5 * ((math.log(ratio) - RATIO_MEDIAN) / RATIO_SPREAD) ** 2 for ratio in RATIOS for _ in RATIO_SPREADS
]
