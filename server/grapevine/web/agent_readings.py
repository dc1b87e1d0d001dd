"""User agents that an app reports: one call's are read at a time in a process, while a few calls wait."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Final, TypeVar

from grapevine.web.turns import Turns

MOST_AT_ONCE: Final = 8
"""Calls whose agents are read or wait for it. A thousand agents that were never seen take some seconds."""
RETRY_SECONDS: Final = 5
_SLICE_SECONDS: Final = 0.005
"""Between two turns of the event loop. An agent that was never seen takes up to four milliseconds."""

Item = TypeVar("Item")
Read = TypeVar("Read")


class AgentReadings:
    """The calls whose user agents are read in this process."""

    def __init__(self) -> None:
        self._turns = Turns(
            MOST_AT_ONCE,
            "Other user agents are being read right now. Try again in a moment.",
            retry_after=RETRY_SECONDS,
        )

    @property
    def refused(self) -> int:
        """How many calls found no room, since the process started."""
        return self._turns.refused

    async def read(self, read: Callable[[Item], Read], items: Iterable[Item]) -> list[Read]:
        """Returns what ``read`` makes of each item, and lets other requests have their turn meanwhile. Raises Busy
        where too many calls wait."""
        async with self._turns.taken():
            found, until = list[Read](), time.monotonic() + _SLICE_SECONDS
            for item in items:
                found.append(read(item))
                if time.monotonic() >= until:
                    await asyncio.sleep(0)
                    until = time.monotonic() + _SLICE_SECONDS
            return found
