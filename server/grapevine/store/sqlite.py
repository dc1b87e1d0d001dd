"""SQLite: the embedded default, one file, durable at every commit.

One connection writes; a few others read beside it through aiosqlite (write-ahead log: neither waits for the other).

The writer's statements run on the event loop's own thread: they take microseconds each, and a thread that works beside
a busy loop waits for the interpreter's lock after every single row. What really waits, the disk at COMMIT and another
process at BEGIN, waits in a thread (docs/decisions/0006).
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import cache
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any

import aiosqlite

from grapevine.errors import StoreError
from grapevine.store import queries
from grapevine.store.batch import Batch
from grapevine.store.checkpoints import Checkpoints
from grapevine.store.reads import Reads
from grapevine.store.registry import Registry

READERS = 2
_MOST_ROWS = 256
_BUSY_MS = 10_000
_PRIMARY = 0xFF  # SQLite's extended codes hold the primary one in their low byte
_UNUSABLE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
_WRITER_SETTINGS = (
    f"busy_timeout={_BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "temp_store=MEMORY", "wal_autocheckpoint=0",
    "cache_size=-32768",
)  # fmt: skip
_READER_SETTINGS = ("query_only=ON", f"busy_timeout={_BUSY_MS}", "temp_store=MEMORY", "mmap_size=1073741824")


class SQLiteStore:
    """A store in the SQLite file at ``path``, made with its schema when it is not there."""

    reads: Reads
    registry: Registry

    def __init__(self, path: Path) -> None:
        self.path = path
        self._writer: _Writer | None = None
        self._checkpoints: Checkpoints | None = None
        self._readers: asyncio.Queue[_Reader] = asyncio.Queue()
        self._writing = asyncio.Lock()

    async def open(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._writer = _Writer(self.path)
            self._migrate(self._writer)
            self._checkpoints = Checkpoints(self.path, self._writing)
            for _ in range(READERS):
                self._readers.put_nowait(await _Reader.open(self.path))
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
        while not self._readers.empty():
            await (await self._readers.get()).close()
        if self._checkpoints is not None:
            await self._checkpoints.close()
            self._checkpoints = None
        if self._writer is not None:
            self._writer.close()
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
        ((value,),) = self._writer.plain(f"PRAGMA {pragma}")
        return int(value)

    @asynccontextmanager
    async def _transaction(self) -> AsyncIterator[_Writer]:
        if self._writer is None:
            raise StoreError("the store is closed")
        async with self._writing:
            try:
                await self._writer.begin()
                yield self._writer
                await self._writer.commit()
            except BaseException as error:
                self._writer.rollback()
                if _is_the_stores(error):
                    raise StoreError(f"the database file {self.path} cannot be written to: {error}") from error
                raise
            if self._checkpoints is not None:
                self._checkpoints.changed(self._writer.changes)

    def _migrate(self, writer: _Writer) -> None:
        ((version,),) = writer.plain("PRAGMA user_version")
        newest = queries.migrations()[-1].number
        if version > newest:
            raise StoreError(
                f"the database file {self.path} has schema {version}, this Grapevine knows {newest}: "
                "it was used by a newer version; run that one, or restore a backup made before"
            )
        if version < newest:
            # Of several that start at once one migrates, and the others see afterwards that nothing is left to do.
            writer.plain("BEGIN IMMEDIATE")
            try:
                ((version,),) = writer.plain("PRAGMA user_version")
                for migration in queries.migrations():
                    if migration.number > version:
                        writer.script(queries.schema_for_sqlite(migration))
                        writer.plain(f"PRAGMA user_version={migration.number}")
                writer.plain("COMMIT")
            finally:
                writer.rollback()
        writer.plain("PRAGMA busy_timeout=0")


def _is_the_stores(error: BaseException) -> bool:
    """Whether the store cannot be used, as opposed to a change that is wrong in itself."""
    if isinstance(error, sqlite3.OperationalError):
        return True
    return isinstance(error, sqlite3.DatabaseError) and getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _UNUSABLE


class _Writer:
    """The writing connection, as a Runner on the loop's own thread, with a thread for what waits."""

    def __init__(self, path: Path) -> None:
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
        self._waiting = ThreadPoolExecutor(1, "grapevine-sqlite")
        for setting in _WRITER_SETTINGS:
            self.plain(f"PRAGMA {setting}")

    async def run(
        self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        insertion = _insertion(name) if rows else None
        if rows and insertion:
            return self._insert(insertion, rows)
        found = []
        for text, values in _statements(name, rows, params):
            found += self._connection.execute(text, values).fetchall()
        return found

    def _insert(self, insertion: queries.Insertion, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        text, places = insertion
        if not places:
            self._connection.executemany(text, rows)
            return []
        execute = self._connection.cursor().execute
        answer = itemgetter(*places)
        return [answer(row) for row in rows if execute(text, row).rowcount]

    async def begin(self) -> None:
        """Takes the file's write lock: at once, as there is one writer, unless another process holds it."""
        try:
            self.plain("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & _PRIMARY != sqlite3.SQLITE_BUSY:
                raise
            self.plain(f"PRAGMA busy_timeout={_BUSY_MS}")
            try:
                await self._wait("BEGIN IMMEDIATE")
            finally:
                self.plain("PRAGMA busy_timeout=0")

    async def commit(self) -> None:
        """Back when the disk has everything."""
        await self._wait("COMMIT")

    @property
    def changes(self) -> int:
        """How many rows were changed so far."""
        return self._connection.total_changes

    def rollback(self) -> None:
        if self._connection.in_transaction:
            self.plain("ROLLBACK")

    def plain(self, text: str) -> list[tuple[Any, ...]]:
        return self._connection.execute(text).fetchall()

    def script(self, text: str) -> None:
        """Runs statements one by one, each of which ends at the end of a line, in the transaction that is open."""
        statement = ""
        for line in text.splitlines(keepends=True):
            statement += line
            if sqlite3.complete_statement(statement):
                self.plain(statement)
                statement = ""

    def close(self) -> None:
        self._waiting.shutdown()
        self._connection.close()

    async def _wait(self, text: str) -> None:
        """Runs a statement in the thread; who is cancelled meanwhile still waits, as the connection is in use."""
        done = asyncio.get_running_loop().run_in_executor(self._waiting, self.plain, text)
        try:
            await asyncio.shield(done)
        except asyncio.CancelledError:
            await asyncio.wait([done])
            raise


class _Reader:
    """One reading connection, as a Runner."""

    def __init__(self, connection: aiosqlite.Connection) -> None:
        self._connection = connection

    @classmethod
    async def open(cls, path: Path) -> _Reader:
        reader = cls(await aiosqlite.connect(path, isolation_level=None))
        for setting in _READER_SETTINGS:
            await reader.plain(f"PRAGMA {setting}")
        return reader

    async def run(
        self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        for text, values in _statements(name, rows, params):
            found += await self._connection.execute_fetchall(text, values)  # type: ignore[arg-type]
        return found

    async def plain(self, text: str) -> list[tuple[Any, ...]]:
        return list(await self._connection.execute_fetchall(text))  # type: ignore[arg-type]

    async def close(self) -> None:
        await self._connection.close()


class _Pool:
    """The reading connections, as one Runner: a query takes the next that is free."""

    def __init__(self, free: asyncio.Queue[_Reader]) -> None:
        self._free = free

    async def run(
        self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        connection = await self._free.get()
        try:
            return await connection.run(name, rows, **params)
        finally:
            self._free.put_nowait(connection)


def _statements(
    name: str, rows: Sequence[Sequence[Any]] | None, params: Mapping[str, Any]
) -> Iterator[tuple[str, list[Any]]]:
    """The statements that a query is on SQLite, with their values.

    A set of rows is cut into powers of two, so that a handful of prepared statements serves sets of every size.
    """
    if rows is None:
        text, names = _prepared(name, 0)
        yield text, [params[each] for each in names]
        return
    start = 0
    while start < len(rows):
        count = min(_MOST_ROWS, 1 << (len(rows) - start).bit_length() - 1)
        text, names = _prepared(name, count)
        yield text, [*(params[each] for each in names), *chain.from_iterable(rows[start : start + count])]
        start += count


@cache
def _insertion(name: str) -> queries.Insertion | None:
    return queries.row_by_row(queries.queries()[name])


@cache
def _prepared(name: str, count: int) -> queries.Prepared:
    return queries.for_sqlite(queries.queries()[name], count)
