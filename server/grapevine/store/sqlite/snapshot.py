"""Snapshots of a SQLite file, for queries that read all of it: a connection of its own, in one read transaction.

The file is neither made nor migrated. Writers go on writing; the log grows until the snapshot is closed.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import chain
from pathlib import Path
from typing import Any

from grapevine.errors import StoreError
from grapevine.store import sql_loader

# Sorts may exceed the memory, so they spill into temporary files.
_SETTINGS = ("query_only=ON", "busy_timeout=10000", "temp_store=FILE", "cache_size=-32768", "mmap_size=1073741824")


class FileSnapshot:
    """A Runner whose every query sees the file as it was at the first."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self._connection = connection

    async def run(
        self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        if rows is not None and not rows:
            return []
        text, names = sql_loader.for_sqlite(sql_loader.queries()[name], len(rows or ()))
        return await self._execute(text, [*(params[each] for each in names), *chain.from_iterable(rows or ())])

    async def faults(self, most: int) -> list[str]:
        try:
            found = await self._execute(f"PRAGMA integrity_check({most:d})", [])
        except StoreError as error:
            return [str(error)]
        return [text for (text,) in found if text != "ok"]

    async def _execute(self, text: str, values: list[Any]) -> list[tuple[Any, ...]]:
        """Runs a statement in a thread; cancelling the caller interrupts it."""
        work = asyncio.ensure_future(asyncio.to_thread(lambda: self._connection.execute(text, values).fetchall()))
        try:
            return await asyncio.shield(work)
        except asyncio.CancelledError:
            self._connection.interrupt()
            await asyncio.wait([work])
            raise
        except sqlite3.Error as error:
            raise StoreError(f"the database cannot be read: {error}") from error


@asynccontextmanager
async def snapshot(path: Path) -> AsyncIterator[FileSnapshot]:
    """Opens the SQLite file at ``path``. Raises StoreError when it is not there or cannot be read."""
    connection = _connected(path)
    try:
        yield FileSnapshot(connection)
    finally:
        connection.close()


def _connected(path: Path) -> sqlite3.Connection:
    connection = None
    try:
        connection = sqlite3.connect(
            f"{path.absolute().as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
        )
        for setting in _SETTINGS:
            connection.execute(f"PRAGMA {setting}")
        connection.execute("BEGIN")
    except sqlite3.Error as error:
        if connection is not None:
            connection.close()
        raise StoreError(f"cannot use the database file {path}: {error}") from error
    return connection
