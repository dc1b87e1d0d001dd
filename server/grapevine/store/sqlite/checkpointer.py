"""Checkpoints of SQLite's write-ahead log, in a thread of their own instead of inside one of the writer's commits.

By default the commit that makes the log exceed a thousand pages copies all of them into the database, and the requests
of that commit wait for the copying. Here a connection with its own thread copies most of the log while the writer goes
on; only the rest is copied while the writer's lock is held, so that the log can start over.

The log keeps what it held until it is written over. After deletions that have to be final it is truncated, and the
unused room of the database's pages is wiped (``unused_room``).
"""

from __future__ import annotations

import asyncio
import logging
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Final

from grapevine.store.sqlite.files import database_files
from grapevine.store.sqlite.unused_room import UnusedRoom

log = logging.getLogger(__name__)

EVERY_CHANGES: Final = 10_000
"""After how many changed rows the log is copied: some 5,000 visits, some 20 MB of log."""

TRUNCATION_SECONDS: Final = 60.0
"""The least time between two truncations: a thousand erasures in a minute cost one."""

RETRY_SECONDS: Final = 5.0
"""The time until the next attempt, when a reader still needs the log."""

WIPE_SHARE: Final = 0.01
"""The part of the time that wiping may take: reading a database of 1 GB takes a second of processor time or two."""

_PAGES_READ: Final = 256
_PAGES_WIPED: Final = 200
_PAGES_WIPED_AT_THE_END: Final = 5_000
_MOST_PAGES_AT_THE_END: Final = 1 << 18
"""1 GiB. A larger file is wiped after the next start, so that this end does not take long."""
_PAUSE_SECONDS: Final = 0.005
_BUSY_MS: Final = 100
"""How long a truncation may wait for readers, and thereby keep other processes from writing."""
_LAST_ATTEMPTS: Final = 20


class Checkpointer:
    """Keeps the log of the database at ``path`` short, and its files free of what was deleted.

    Transactions hold the lock ``writing``. ``forget_pages`` drops the pages that the writing connection keeps, or it
    would write their unused room again as it was. Without ``room``, where the system has no POSIX files, that stays.
    """

    def __init__(
        self,
        path: Path,
        writing: asyncio.Lock,
        forget_pages: Callable[[], object],
        room: UnusedRoom | None,
        truncation_seconds: float = TRUNCATION_SECONDS,
    ) -> None:
        self._log = database_files(path)[1]
        self._forget_pages = forget_pages
        self._room = room
        self._next_wipe = 0.0
        self._writing = writing
        self._thread = ThreadPoolExecutor(1, "grapevine-checkpoints")
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
        self._connection.execute("PRAGMA synchronous=FULL")
        self._connection.execute(f"PRAGMA busy_timeout={_BUSY_MS}")
        self._taken_at = 0
        self._task: asyncio.Task[None] | None = None
        self._truncation_seconds = truncation_seconds
        self._truncating: asyncio.Task[None] | None = None
        self._truncation_wanted = False
        self._next_truncation = 0.0
        self._closing = asyncio.Event()

    def changed(self, changes: int) -> None:
        """Called after a commit with the number of rows changed so far; starts a checkpoint when it is due."""
        if changes - self._taken_at >= EVERY_CHANGES and (self._task is None or self._task.done()):
            self._taken_at = changes
            self._task = asyncio.create_task(self._take(), name="grapevine-checkpoint")

    def truncate_soon(self) -> None:
        """Empties the log, which then holds nothing that was committed before this call: at once, or later when it was
        emptied within the last minute or a reader needs it."""
        self._truncation_wanted = True
        if self._truncating is None or self._truncating.done():
            self._truncating = asyncio.create_task(self._truncate_when_due(), name="grapevine-log-truncation")

    async def close(self) -> None:
        """Waits for the checkpoint under way, and makes the last attempts at a truncation that is still wanted."""
        self._closing.set()
        if self._task is not None:
            await self._task
        if self._truncating is not None:
            await self._truncating
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

    async def _truncate_when_due(self) -> None:
        loop = asyncio.get_running_loop()
        attempts = 0
        while self._truncation_wanted and attempts < _LAST_ATTEMPTS:
            with suppress(TimeoutError):
                async with asyncio.timeout_at(self._next_truncation):
                    await self._closing.wait()
            attempts += self._closing.is_set()
            self._truncation_wanted = False  # a call from here on is about commits that this attempt may miss
            if await self._truncate() and await self._wipe():
                self._next_truncation = loop.time() + self._truncation_seconds
            else:
                self._truncation_wanted = True
                self._next_truncation = loop.time() + RETRY_SECONDS

    async def _truncate(self) -> bool:
        """Returns whether the log is empty, as far as this process wrote it."""
        loop = asyncio.get_running_loop()
        try:
            await loop.run_in_executor(self._thread, self._copy)
            async with self._writing:
                return await loop.run_in_executor(self._thread, self._cut)
        except sqlite3.Error as error:
            log.warning("the write-ahead log could not be truncated, and will be later: %s", error)
            return False

    async def _wipe(self) -> bool:
        """Wipes the unused room of all pages, few at a time. Returns whether that is done, or not due yet."""
        loop = asyncio.get_running_loop()
        room, started = self._room, loop.time()
        if room is None or (started < self._next_wipe and not self._closing.is_set()):
            return True
        try:
            dirty: list[int] = []
            pages = room.pages
            if self._closing.is_set() and pages > _MOST_PAGES_AT_THE_END:
                return True
            for first in range(1, pages + 1, _PAGES_READ):
                dirty += await loop.run_in_executor(self._thread, room.dirty, first, _PAGES_READ)
                last = first + _PAGES_READ > pages
                at_once = _PAGES_WIPED_AT_THE_END if self._closing.is_set() else _PAGES_WIPED
                while len(dirty) >= at_once or (dirty and last):
                    if not await self._wipe_pages(room, dirty[:at_once]):
                        return False
                    del dirty[:at_once]
                if not self._closing.is_set():
                    await asyncio.sleep(_PAUSE_SECONDS)
            await loop.run_in_executor(self._thread, room.sync)
        except (OSError, sqlite3.Error) as error:
            log.warning("copies of deleted rows could not be wiped, and will be later: %s", error)
            return False
        self._next_wipe = loop.time() + (loop.time() - started) / WIPE_SHARE
        return True

    async def _wipe_pages(self, room: UnusedRoom, pages: list[int]) -> bool:
        async with self._writing:
            self._forget_pages()
            return await asyncio.get_running_loop().run_in_executor(self._thread, self._wipe_now, room, pages)

    def _wipe_now(self, room: UnusedRoom, pages: list[int]) -> bool:
        """Wipes these pages while no process can write. Returns False when a reader needs the log."""
        if not self._cut():
            return False
        self._connection.execute("BEGIN IMMEDIATE")
        try:
            if self._log.stat().st_size:  # another process committed in between
                return False
            room.wipe(pages)
        finally:
            self._connection.execute("ROLLBACK")
        return True

    def _copy(self) -> None:
        self._connection.execute("PRAGMA wal_checkpoint(PASSIVE)").fetchall()

    def _cut(self) -> bool:
        ((busy, *_),) = self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return not busy
