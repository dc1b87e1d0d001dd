"""Fills in the demo's past while its server runs, as soon as somebody asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from grapevine.demo.history import History
from grapevine.errors import GrapevineError
from grapevine.simulate.player import Target
from grapevine.simulate.presets import demo_history
from grapevine.simulate.truth import Truth
from grapevine.web.state import AppState


class Filling:
    """The filling of the ``days`` that end with the day of ``end`` (UTC ms).

    ``run`` is the companion of the server's application, so that it ends before the store is closed; ``finish`` is for
    whoever shows how far it is.
    """

    def __init__(self, target: Target, end: int, days: int) -> None:
        self._target = target
        self._world = demo_history(end, max(days, 1))
        self._begin = asyncio.Event()
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._on_time: Callable[[int], None] = lambda _at: None
        self.start = self._world.start
        self.end = end

    @property
    def truth(self) -> Truth:
        """What happened in the days that are filled in so far."""
        return self._world.truth

    async def run(self, state: AppState) -> None:
        """Waits for ``finish``, then fills the days in."""
        await self._begin.wait()
        try:
            await History(state, self._target, self._world, self._on_time).play()
        except GrapevineError as error:
            self._done.set_exception(error)
        else:
            self._done.set_result(None)

    async def finish(self, on_time: Callable[[int], None]) -> None:
        """Returns when all days are there; ``on_time`` is called with the time (UTC ms) that was reached.

        Raises GrapevineError.
        """
        self._on_time = on_time
        self._begin.set()
        await asyncio.shield(self._done)
