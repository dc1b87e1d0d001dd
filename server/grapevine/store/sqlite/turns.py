"""Several processes that write into one SQLite file by turns.

SQLite lets one write at a time, too, but who finds the file locked sleeps and tries again, up to 100 ms a time, while
others pass. A lock of the operating system wakes the next in line at once, and falls with the process that holds it.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
from collections.abc import AsyncIterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

from grapevine.store.batch import Batch
from grapevine.store.sqlite.store import SQLiteStore


class TurnStore(SQLiteStore):
    """A SQLiteStore whose batches wait for their turn.

    ``turn`` is the descriptor of an empty file that all these processes have open; its lock is the turn. Whoever writes
    without it is kept apart by SQLite as ever.
    """

    def __init__(self, path: Path, turn: int) -> None:
        super().__init__(path)
        self._turn = turn
        self._line = ThreadPoolExecutor(1, "grapevine-turn")

    async def close(self) -> None:
        await super().close()
        self._line.shutdown()

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[Batch]:
        await self._take()
        try:
            async with super().batch() as batch:
                yield batch
        finally:
            self._give()

    async def _take(self) -> None:
        try:
            fcntl.lockf(self._turn, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            if error.errno not in (errno.EACCES, errno.EAGAIN):
                raise
            taken = asyncio.get_running_loop().run_in_executor(self._line, fcntl.lockf, self._turn, fcntl.LOCK_EX)
            try:
                await asyncio.shield(taken)
            except asyncio.CancelledError:
                await asyncio.wait([taken])
                self._give()
                raise

    def _give(self) -> None:
        fcntl.lockf(self._turn, fcntl.LOCK_UN)
