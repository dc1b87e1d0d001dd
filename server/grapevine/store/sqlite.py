"""SQLite through aiosqlite: the embedded default, one file, durable at every commit.

One connection writes; a few others read beside it (write-ahead log: neither waits for the other).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from functools import cache
from pathlib import Path
from typing import Any

import aiosqlite
import msgspec

from grapevine.errors import StoreError
from grapevine.store import queries
from grapevine.store.batch import Batch
from grapevine.store.reads import Reads
from grapevine.store.registry import Registry

READERS = 2
_BUSY_MS = 10_000
_WRITER_SETTINGS = ("journal_mode=WAL", "synchronous=FULL", f"busy_timeout={_BUSY_MS}", "temp_store=MEMORY")
_READER_SETTINGS = ("query_only=ON", f"busy_timeout={_BUSY_MS}", "temp_store=MEMORY", "mmap_size=1073741824")


class SQLiteStore:
    """A store in the SQLite file at ``path``, made with its schema when it is not there."""

    reads: Reads
    registry: Registry

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: _Connection | None = None
        self._readers: asyncio.Queue[_Connection] = asyncio.Queue()
        self._opened: list[_Connection] = []
        self._writing = asyncio.Lock()

    async def open(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = await self._connect(_WRITER_SETTINGS)
            await self._migrate(self._writer)
            for _ in range(READERS):
                self._readers.put_nowait(await self._connect(_READER_SETTINGS))
        except StoreError:
            await self.close()
            raise
        except (OSError, sqlite3.Error) as error:
            await self.close()
            raise StoreError(f"cannot use the database file {self.path}: {error}") from error
        pool = _Pool(self._readers)
        self.reads = Reads(pool)
        self.registry = Registry(pool, self._transaction)

    async def close(self) -> None:
        for connection in self._opened:
            await connection.close()
        self._opened.clear()
        self._readers = asyncio.Queue()
        self._writer = None

    @asynccontextmanager
    async def batch(self) -> AsyncIterator[Batch]:
        async with self._transaction() as connection:
            yield Batch(connection)

    async def writable(self) -> bool:
        try:
            async with self._transaction() as connection:
                await connection.run("touch_versions")
        except (StoreError, sqlite3.Error):
            return False
        return True

    async def look(self, text: str) -> list[tuple[Any, ...]]:
        """The rows of a reading statement in SQLite's own words, for tools and tests."""
        connection = await self._readers.get()
        try:
            return await connection.plain(text)
        finally:
            self._readers.put_nowait(connection)

    async def writer_setting(self, pragma: str) -> int:
        """What a setting of the writing connection is, for tools and tests."""
        if self._writer is None:
            raise StoreError("the store is closed")
        ((value,),) = await self._writer.plain(f"PRAGMA {pragma}")
        return int(value)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[_Connection]:
        if self._writer is None:
            raise StoreError("the store is closed")
        async with self._writing:
            try:
                await self._writer.plain("BEGIN IMMEDIATE")
                yield self._writer
                await self._writer.plain("COMMIT")
            except BaseException as error:
                if self._writer.in_transaction:
                    await self._writer.plain("ROLLBACK")
                if isinstance(error, sqlite3.OperationalError):
                    raise StoreError(f"the database file {self.path} cannot be written to: {error}") from error
                raise

    async def _connect(self, settings: Sequence[str]) -> _Connection:
        connection = _Connection(await aiosqlite.connect(self.path, isolation_level=None))
        self._opened.append(connection)
        for setting in settings:
            await connection.plain(f"PRAGMA {setting}")
        return connection

    async def _migrate(self, connection: _Connection) -> None:
        (version,) = (await connection.plain("PRAGMA user_version"))[0]
        newest = queries.migrations()[-1].number
        if version > newest:
            raise StoreError(
                f"the database file {self.path} has schema {version}, this Grapevine knows {newest}: "
                "it was used by a newer version; run that one, or restore a backup made before"
            )
        for migration in queries.migrations():
            if migration.number > version:
                step = f"{queries.schema_for_sqlite(migration)}\nPRAGMA user_version={migration.number};"
                await connection.script(f"BEGIN IMMEDIATE;\n{step}\nCOMMIT;")


class _Connection:
    """One connection, as a Runner."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    async def run(
        self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        if rows is not None:
            if not rows:
                return []
            params["rows"] = msgspec.json.encode(rows).decode()
        return list(await self._connection.execute_fetchall(_text(name), params))  # type: ignore[arg-type]

    async def plain(self, text: str) -> list[tuple[Any, ...]]:
        return list(await self._connection.execute_fetchall(text))  # type: ignore[arg-type]

    async def script(self, text: str) -> None:
        await self._connection.executescript(text)

    @property
    def in_transaction(self) -> bool:
        return self._connection.in_transaction

    async def close(self) -> None:
        await self._connection.close()


class _Pool:
    """The reading connections, as one Runner: a query takes the next that is free."""

    def __init__(self, free: asyncio.Queue[_Connection]) -> None:
        self._free = free

    async def run(
        self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        connection = await self._free.get()
        try:
            return await connection.run(name, rows, **params)
        finally:
            self._free.put_nowait(connection)


@cache
def _text(name: str) -> str:
    return queries.for_sqlite(queries.queries()[name])
