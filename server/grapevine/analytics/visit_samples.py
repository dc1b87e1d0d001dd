"""A bounded part of a period's visits, drawn by the hash in their ids: the same part for everybody who asks."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

from grapevine.domain import ids
from grapevine.sites.cache import Site
from grapevine.store.readers.rates import IdRange
from grapevine.store.readers.scope import Scope

_RESTS: Final = 1 << 32
_DAYS: Final = 1 << 16
MOST_RANGES: Final = 128
"""Ranges of a sample: each is a query. Of a longer period than these cover, every second or third day is taken, and so
on, but never the same day of each week."""


class Drawn(NamedTuple):
    """Ranges of ids, in order, and which part of the visits they hold."""

    ranges: Sequence[IdRange]
    part: float


def drawn_ids(site: Site, scope: Scope, part: float) -> Drawn:
    """The ranges of ids that hold about ``part`` (above 0, up to 1) of the visits of a scope's period.

    A site whose cascades begin in all cells is asked for some cells; one with a few cells, for a part of each. Neither
    the cell of a cascade nor the rest of an id has to do with what a visit does.
    """
    # The day of an id is the browser's and may differ by one from the server's.
    first, last = (ids.day_at(at) + wider for at, wider in ((scope.start, -1), (scope.end - 1, 1)))
    first, last = max(first, 0), min(last, _DAYS - 2)
    if part >= 1:
        return Drawn([(ids.pack(first, 0, 0), ids.pack(last + 1, 0, 0))], 1.0)
    is_everywhere = site.spread >= ids.CELLS
    numbers = range(0 if is_everywhere else site.spread)
    own = sorted({ids.cell_of_site(site.site_id, site.spread, number) for number in numbers}) or [0]
    step = math.ceil((last - first + 1) * len(own) / MOST_RANGES)
    step += step % 7 == 0
    of_day = min(1.0, part * step)
    width = math.ceil(of_day * ids.CELLS) * _RESTS if is_everywhere else math.ceil(of_day * _RESTS)
    starts = (ids.pack(day, cell, 0) for day in range(first, last + 1, step) for cell in own)
    return Drawn([(start, start + width) for start in starts], of_day / step)
