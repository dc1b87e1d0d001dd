"""The queue of events to be stored: bounded by number and by bytes, and fair to all sites.

A site may queue as much as is still free (the dynamic threshold of Choudhury and Hahne, *Dynamic queue length
thresholds for shared-memory packet switches*, 1998): one flooding site fills half of the queue and leaves the other
half to all others, and a full queue refuses the flooding sites first. Batches take from all sites in turn.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import NamedTuple

from grapevine.domain.events import Event, Outcome

OnOutcome = Callable[[Outcome | Exception], None]
"""Called once with the outcome of an event, or with why it was not stored; must not raise."""


class QueuedEvent(NamedTuple):
    """An event, its callback, and the size of its request in bytes."""

    event: Event
    on_outcome: OnOutcome
    size: int


class FairQueue:
    """Events by site, in the order they came."""

    def __init__(self, most: int, most_bytes: int) -> None:
        self.most = most
        self.most_bytes = most_bytes
        self._free = most
        self._free_bytes = most_bytes
        self._queues: dict[int, deque[QueuedEvent]] = {}
        self._bytes: dict[int, int] = {}
        self._count = 0

    def __len__(self) -> int:
        return self._count

    @property
    def size(self) -> int:
        """How many bytes are queued."""
        return self.most_bytes - self._free_bytes

    def add(self, waiting: QueuedEvent) -> bool:
        """Queues an event. Returns False when its site has no room left."""
        site = waiting.event.site_id
        queue = self._queues.get(site)
        if queue is None:
            queue = self._queues[site] = deque()
            self._bytes[site] = 0
        if len(queue) >= self._free or self._bytes[site] >= self._free_bytes:
            self._forget(site)
            return False
        queue.append(waiting)
        self._count += 1
        self._free -= 1
        self._free_bytes -= waiting.size
        self._bytes[site] += waiting.size
        return True

    def take(self, most: int) -> list[QueuedEvent]:
        """Removes and returns at most ``most`` events, equally many of each site that has them."""
        taken: list[QueuedEvent] = []
        while self._queues and len(taken) < most:
            share = max(1, (most - len(taken)) // len(self._queues))
            for site in list(self._queues):
                queue = self._queues[site]
                for _ in range(min(share, len(queue), most - len(taken))):
                    waiting = queue.popleft()
                    self._bytes[site] -= waiting.size
                    self._free_bytes += waiting.size
                    taken.append(waiting)
                self._forget(site)
        self._count -= len(taken)
        self._free += len(taken)
        return taken

    def _forget(self, site: int) -> None:
        if not self._queues[site]:
            del self._queues[site], self._bytes[site]
