"""Checkpoints of SQLite's write-ahead log, in a thread of their own instead of inside one of the writer's commits.

By default the commit that makes the log exceed a thousand pages copies all of them into the database, and the requests
of that commit wait for the copying. Here a connection with its own thread copies most of the log while the writer goes
on; only the rest is copied while the writer's lock is held, so that the log can start over.
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Final

log = logging.getLogger(__name__)

EVERY_CHANGES: Final = 10_000
"""After how many changed rows the log is copied: some 5,000 visits, some 20 MB of log."""


class Checkpointer:
    """Keeps the log of the database at ``path`` short. Transactions hold the lock ``writing``."""

    def __init__(self, path: Path, writing: asyncio.Lock) -> None:
        self._writing = writing
        self._thread = ThreadPoolExecutor(1, "grapevine-checkpoints")
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous=FULL")
        self._taken_at = 0
        self._task: asyncio.Task[None] | None = None

    def changed(self, changes: int) -> None:
        """Called after a commit with the number of rows changed so far; starts a checkpoint when it is due."""
        if changes - self._taken_at >= EVERY_CHANGES and (self._task is None or self._task.done()):
            self._taken_at = changes
            self._task = asyncio.create_task(self._take(), name="grapevine-checkpoint")

    async def close(self) -> None:
        """Waits for the checkpoint under way."""
        if self._task is not None:
            await self._task
        self._thread.shutdown()
        self._connection.close()

    async def _take(self) -> None:
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._copy)
            async with self._writing:
                await loop.run_in_executor(self._thread, self._copy)
        except sqlite3.Error as error:
            log.warning("the write-ahead log could not be copied into the database, and will be later: %s", error)

    def _copy(self) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()
