"""The pace of jobs that go through a whole store while the server serves."""

from __future__ import annotations

import time
from collections.abc import Awaitable, Callable
from typing import Final

IDLE: Final = 19.0
"""Such a job waits so many times as long as each piece of its work took: it has a twentieth of the store at most."""


class Pace:
    """Makes a job wait after each piece of its work. ``pause`` waits so many seconds."""

    def __init__(self, pause: Callable[[float], Awaitable[object]]) -> None:
        self._pause = pause
        self._began_at = 0.0

    def begin(self) -> None:
        """Notes that a piece of work begins."""
        self._began_at = time.perf_counter()

    async def rest(self) -> None:
        """Waits after a piece of work; the next one begins then."""
        await self._pause(IDLE * (time.perf_counter() - self._began_at))
        self.begin()
