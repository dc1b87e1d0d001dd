"""Whether the store takes writes, asked of it once a second at most."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Final

from grapevine.domain.periods import Clock

FRESH_MS: Final = 1_000
"""How long an answer of the store holds: somebody who asks again and again causes one write a second."""


class Readiness:
    """The last answer of ``writable``. Concurrent callers share one write, and callers within a second its answer."""

    def __init__(self, writable: Callable[[], Awaitable[bool]], clock: Clock) -> None:
        self._writable = writable
        self._clock = clock
        self._writing = asyncio.Lock()
        self._answered_at: int | None = None
        self._is_ready = False
        self._late: asyncio.Future[bool] | None = None

    async def check(self) -> bool:
        """Returns whether the store takes writes."""
        async with self._writing:
            if self._answered_at is None or abs(self._clock() - self._answered_at) >= FRESH_MS:
                self._is_ready = await self._writable()
                self._answered_at = self._clock()
            return self._is_ready

    async def check_within(self, seconds: float) -> bool:
        """As ``check``, but False where the store has not answered in time. Its answer is awaited in the background: a
        write that is cancelled could be half done."""
        late = self._late
        if late is None or late.done():
            late = self._late = asyncio.ensure_future(self.check())
        done, _ = await asyncio.wait({late}, timeout=seconds)
        return bool(done) and late.result()
