"""Fills in the demo's past while its server runs, as soon as somebody asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import NamedTuple

from grapevine.config.logging import only_warnings
from grapevine.demo.history import History
from grapevine.demo.links import demo_world_with_links
from grapevine.errors import GrapevineError
from grapevine.simulate.expected import ExpectedResults
from grapevine.simulate.player import Target
from grapevine.simulate.presets import demo_history
from grapevine.simulate.truth import Truth
from grapevine.web.state import AppState


class Filled(NamedTuple):
    """What the days hold: visits, chains of shared links, the most people that one went through, the most visits of
    one, and goals reached."""

    visits: int
    cascades: int
    deepest: int
    largest: int
    conversions: int


class Filling:
    """The filling of the ``days`` that end with the day of ``end`` (UTC ms).

    ``run`` is the companion of the server's application, so that it ends before the store is closed; ``finish`` is for
    the command that shows how far it is.
    """

    def __init__(self, target: Target, end: int, days: int) -> None:
        self._target = target
        self._world = demo_world_with_links(demo_history(end, max(days, 1)), end)
        self._begin = asyncio.Event()
        self._done: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._on_time: Callable[[int], None] = lambda _at: None
        self.days = days
        self.start = self._world.start
        self.end = end

    async def run(self, state: AppState) -> None:
        """Waits for ``finish``, then fills the days in."""
        await self._begin.wait()
        try:
            # What the jobs of days long past would log is no news, up to the end of a filling that is stopped.
            with only_warnings():
                await History(state, self._target, self._world, self._on_time).play()
        except GrapevineError as error:
            self._done.set_exception(error)
        else:
            self._done.set_result(None)

    async def finish(self, on_time: Callable[[int], None]) -> Filled:
        """Returns when all days are there; ``on_time`` is called with the time (UTC ms) that was reached.

        Raises GrapevineError.
        """
        self._on_time = on_time
        self._begin.set()
        await asyncio.shield(self._done)
        return await asyncio.to_thread(_filled, self._world.truth)


def _filled(truth: Truth) -> Filled:
    results = ExpectedResults(truth)
    return Filled(
        visits=int(results.numbers["visits"] or 0),
        cascades=len(results.cascades),
        deepest=results.deepest,
        largest=max((size for size, _ in results.cascades.values()), default=1),
        conversions=int(results.numbers["conversions"] or 0),
    )
