"""Which sites somebody watches, and the numbers of this process's announcements."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Collection
from typing import Final

from grapevine.domain.periods import Clock

_LANE_BITS: Final = 30


def _nobody(_: Collection[int]) -> None:
    pass


class Announcer:
    """Numbers announcements. ``watched`` are the sites that somebody watches.

    Batches that are stored at the same time may be committed in any order. So each has a lane of its own, in which the
    numbers rise from commit to commit. Lanes are random: another process, and this one after a restart, has others.
    ``on_announced`` is called with the sites of each batch that is committed.
    """

    def __init__(self, clock: Clock, lanes: int = 1, random_bits: Callable[[int], int] = secrets.randbits) -> None:
        first = random_bits(_LANE_BITS) * lanes
        self.lanes = range(first, first + lanes)
        self.watched: frozenset[int] = frozenset()
        self.on_announced: Callable[[Collection[int]], None] = _nobody
        self._clock = clock
        self._last = [0] * lanes

    def next(self, offset: int) -> tuple[int, int]:
        """Returns the lane of a batch, and a number in it: the time (UTC ms), or one more than the number before.

        A batch that is tried again gets another number: the first attempt may have been committed all the same.
        """
        self._last[offset] = max(self._last[offset] + 1, self._clock())
        return self.lanes[offset], self._last[offset]
