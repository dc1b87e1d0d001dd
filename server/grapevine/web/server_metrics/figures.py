"""The numbers of the whole server: those of this process, and what its siblings wrote into their rows."""

from __future__ import annotations

import asyncio
import os
import zlib
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Final, NamedTuple

from grapevine.background.task import background_task
from grapevine.telemetry.rows import Rows
from grapevine.web.server_metrics.families import FAMILIES, Family
from grapevine.web.state import AppState

PUBLISH_SECONDS: Final = 1.0
"""How old the numbers of the other workers may be. A worker that is killed loses what it counted in that time."""


def layout() -> int:
    """Returns a number that differs where the numbers of two processes mean different things."""
    named = [(family.name, family.kind, *family.keys, *family.bounds) for family in FAMILIES]
    return zlib.crc32(repr(named).encode())


def new_rows(worker: int = 1, descriptor: int | None = None) -> Rows:
    """Returns the rows of a server: of this process alone, or those behind ``descriptor`` that workers share."""
    return Rows(layout(), worker, descriptor)


class Total(NamedTuple):
    """The numbers of one metric in the order of its keys, of all workers together."""

    family: Family
    numbers: Sequence[float]


class Figures:
    """Publishes the numbers of this process and reads those of all. A worker that takes another's place goes on with
    its counters, so that they never go back. It keeps nothing itself: the row remembers what its process began with."""

    def __init__(self, state: AppState) -> None:
        self._state = state
        self._rows = state.rows
        self._width = sum(len(family.keys) * family.width for family in FAMILIES)
        self._before = list(self._rows.left_behind(self._width))
        start = 0
        for family in FAMILIES:
            end = start + len(family.keys) * family.width
            if family.kind == "gauge" and not family.newest:
                self._before[start:end] = [0.0] * (end - start)
            start = end

    def publish(self) -> None:
        """Writes the numbers of this process into its row."""
        start, numbers = 0, []
        for family in FAMILIES:
            end = start + len(family.keys) * family.width
            both = zip(self._before[start:end], family.read(self._state), strict=True)
            numbers += [max(pair) if family.newest else sum(pair) for pair in both]
            start = end
        self._rows.write(numbers)

    @asynccontextmanager
    async def publishing(self) -> AsyncIterator[None]:
        """Publishes every second while the block runs and at its end, where there are other workers to read it."""
        if not self._rows.shared:
            yield
            return

        async def publish() -> None:
            while True:
                self.publish()
                await asyncio.sleep(PUBLISH_SECONDS)

        try:
            async with background_task(publish(), "metrics"):
                yield
        finally:
            self.publish()

    def totals(self) -> list[Total]:
        """Returns the numbers of all workers. What was returned once is in the rows, so none returns less later."""
        self.publish()
        rows = list(self._rows.read(self._width))
        start, totals = 0, []
        for family in FAMILIES:
            end = start + len(family.keys) * family.width
            counted = [row for row in rows if family.kind != "gauge" or family.newest or _lives(row.pid)]
            columns = zip(*(row.numbers[start:end] for row in counted), strict=True)
            totals.append(Total(family, [max(each) if family.newest else sum(each) for each in columns]))
            start = end
        return totals

    def workers(self) -> list[tuple[str, int]]:
        """Returns the number and the process of each worker that lives."""
        return [(str(row.worker), row.pid) for row in self._rows.read(0) if _lives(row.pid)]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except OSError:
        return False
    return True
