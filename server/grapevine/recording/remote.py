"""Recording in another process, seen from a serving one, which looks for it again when it is gone.

Whatever it had on its way then may be stored or not; a batch can be sent again as a whole, as events may be repeated,
and the writer does so (docs/decisions/0020).
"""

from __future__ import annotations

import asyncio
import logging
import time
from asyncio import StreamReader, StreamWriter
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Final

from grapevine.background.task import background_task
from grapevine.domain.events import Event, Outcome
from grapevine.errors import Interrupted, StoreError
from grapevine.recording.messages import BUFFER, Forget, Order, Record, Recorded, read_answer, received, written
from grapevine.store.base import Store
from grapevine.writer.bursts import VisitorDay
from grapevine.writer.counts import Drop

log = logging.getLogger(__name__)

LOOK_SECONDS: Final = 0.02
_PATIENCE_SECONDS: Final = 30.0
_LANES: Final = 2
"""One batch on its way there while another is recorded, although the store takes one at a time."""


@asynccontextmanager
async def elsewhere(path: str, _store: Store, _nonce_key: bytes) -> AsyncIterator[Remote]:
    """Records in the process that is found at the Unix socket ``path``. Raises StoreError when there is none."""
    async with Remote(path).running() as remote:
        yield remote


class Remote:
    """A Recorder in the process that is found at ``path``."""

    max_concurrent_batches = _LANES

    def __init__(self, path: str, patience: float = _PATIENCE_SECONDS) -> None:
        self._path = path
        self._patience = patience
        self._slot = 0
        self._numbers = count(1)
        self._answers: dict[int, asyncio.Future[list[Outcome]]] = {}
        self._writer: StreamWriter | None = None

    @asynccontextmanager
    async def running(self) -> AsyncIterator[Remote]:
        """Stays connected while the block runs. Raises StoreError when nobody is there at first."""
        try:
            async with background_task(self._keep(await self._connected(self._patience)), "recording"):
                yield self
        finally:
            self._hang_up()

    @property
    def able(self) -> bool:
        """Whether somebody is there."""
        return self._writer is not None and not self._writer.is_closing()

    @property
    def slot(self) -> int:
        """As it was told last."""
        return self._slot

    def set_slot(self, slot: int) -> None:
        """Told with the next batch."""
        self._slot = slot

    def forget(self, machine: VisitorDay) -> None:
        """Told before the next batch; a process that is gone has forgotten everything."""
        if self.able:
            self._send(Forget(*machine))

    async def record(self, events: Sequence[Event], drops: Mapping[Drop, int], lane: int) -> list[Outcome]:
        """As every Recorder."""
        if not self.able:
            raise Interrupted("the recording process is being replaced")
        number = next(self._numbers)
        answer: asyncio.Future[list[Outcome]] = asyncio.get_running_loop().create_future()
        self._answers[number] = answer
        told = [(*drop, times) for drop, times in drops.items()]
        try:
            self._send(Record(number, lane, self._slot, list(events), told))
            return await answer
        finally:
            self._answers.pop(number, None)

    def _send(self, order: Order) -> None:
        if self._writer is not None:
            self._writer.write(written(order))

    async def _keep(self, reader: StreamReader) -> None:
        while True:
            await self._listen(reader)
            self._hang_up()
            log.warning("the recording process is gone; batches wait until there is another")
            reader = await self._connected()

    async def _connected(self, patience: float | None = None) -> StreamReader:
        began_at = time.monotonic()
        while True:
            try:
                reader, self._writer = await asyncio.open_unix_connection(self._path, limit=BUFFER)
            except OSError as error:
                if patience is not None and time.monotonic() - began_at > patience:
                    raise StoreError(f"no recording process is found at {self._path}: {error}") from error
                await asyncio.sleep(LOOK_SECONDS)
            else:
                return reader

    def _hang_up(self) -> None:
        """Nobody is there to answer what was sent."""
        if self._writer is not None:
            self._writer.close()
            self._writer = None
        for answer in self._answers.values():
            if not answer.done():
                answer.set_exception(Interrupted("the recording process is gone"))

    async def _listen(self, reader: StreamReader) -> None:
        while content := await received(reader):
            answer = read_answer(content)
            waiting = self._answers.get(answer.number)
            if waiting is None or waiting.done():
                continue
            if isinstance(answer, Recorded):
                waiting.set_result(answer.outcomes)
            else:
                waiting.set_exception(answer.error())
