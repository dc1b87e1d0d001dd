"""Turns: work of one kind that takes long is done one at a time in a process, while a few wait."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from grapevine.errors import Busy


class Turns:
    """The turns of one kind of work, of which ``most`` run or wait; what comes beyond them is ``refusal``."""

    def __init__(self, most: int, refusal: str, *, retry_after: int) -> None:
        self._most = most
        self._refusal = refusal
        self._retry_after = retry_after
        self._lock = asyncio.Lock()
        self._present = 0
        self.refused = 0
        """How many found no room, since the process started."""

    @asynccontextmanager
    async def taken(self) -> AsyncIterator[None]:
        """Runs the block when it is its turn. Raises Busy where too many wait."""
        if self._present >= self._most:
            self.refused += 1
            raise Busy(self._refusal, retry_after=self._retry_after)
        self._present += 1
        try:
            async with self._lock:
                yield
        finally:
            self._present -= 1
