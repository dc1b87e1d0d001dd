"""The connections to a SQLite file, each as a Runner.

The writer's statements, and queries that touch a handful of rows, run on the event loop's own thread: they take
microseconds each, and a thread that competes with a busy loop waits for the interpreter's lock after every single row.
COMMIT, which waits for the disk, and BEGIN, which may wait for another process, run in a thread (docs/decisions/0006).
Queries that may take long run through aiosqlite.
"""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from functools import cache
from itertools import chain
from operator import itemgetter
from pathlib import Path
from typing import Any, Final

import aiosqlite

from grapevine.store import sql_loader
from grapevine.store.sqlite.errors import unreadable
from grapevine.store.sqlite.waiting_thread import WaitingThread

_BY_KEY: Final = frozenset({"cascade_heads", "page_urls", "share"})
_HANDFUL: Final = 128
_MOST_ROWS = 256
_BUSY_MS = 10_000
WRITER_PAGES_KIB: Final = 32_768
"""Pages that the writing connection keeps, so that a batch finds most of what it changes in memory. The process grows
by as much while the database does, and by no more."""

READER_PAGES_KIB: Final = 2_000
"""Pages that each reading connection keeps, SQLite's default: the kernel's cache of the file has the others."""

_WRITER_SETTINGS = (
    f"busy_timeout={_BUSY_MS}", "journal_mode=WAL", "synchronous=FULL", "temp_store=MEMORY", "wal_autocheckpoint=0",
    f"cache_size=-{WRITER_PAGES_KIB}", "secure_delete=ON",
)  # fmt: skip
_READER_PAGES = f"cache_size=-{READER_PAGES_KIB}"
# With temp_store=MEMORY a sort holds all of its rows in memory: those of a day with a million returns take 100 MB. In a
# file only what exceeds the connection's pages is written; it has no name and is gone with the query.
READER_SETTINGS: Final = ("query_only=ON", f"busy_timeout={_BUSY_MS}", "temp_store=FILE", _READER_PAGES)
"""Settings of the connections in the pool."""

_QUICK_SETTINGS = ("query_only=ON", "busy_timeout=100", "temp_store=MEMORY", _READER_PAGES)


class InlineConnection:
    """A connection as a Runner on the loop's own thread, for statements that take microseconds."""

    def __init__(self, path: Path, settings: Iterable[str] = _QUICK_SETTINGS) -> None:
        self._path = path
        self._connection = sqlite3.connect(path, isolation_level=None, check_same_thread=False, cached_statements=512)
        for setting in settings:
            self.plain(f"PRAGMA {setting}")

    async def run(
        self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        with unreadable(self._path):
            return self.answer(name, rows, params)

    def answer(
        self, name: str, rows: Sequence[Sequence[Any]] | None, params: Mapping[str, Any]
    ) -> list[tuple[Any, ...]]:
        """Returns the rows of a query without waiting. Raises sqlite3.Error."""
        found = []
        for text, values in _statements(name, rows, params):
            found += self._connection.execute(text, values).fetchall()
        return found

    def plain(self, text: str) -> list[tuple[Any, ...]]:
        """Returns the rows of a statement in SQLite's dialect."""
        return self._connection.execute(text).fetchall()

    def close(self) -> None:
        self._connection.close()


class WriteConnection(InlineConnection):
    """The writing connection. COMMIT, and BEGIN when another process holds the file, wait in a thread of its own."""

    def __init__(self, path: Path) -> None:
        super().__init__(path, _WRITER_SETTINGS)
        self._waiting = WaitingThread("grapevine-sqlite")
        self._durable = True

    async def run(
        self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        insertion = _insertion(name) if rows else None
        if rows and insertion:
            return self._insert(insertion, rows)
        return self.answer(name, rows, params)

    async def run_many(self, calls: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> list[list[tuple[Any, ...]]]:
        return [await self.run(name, rows) if rows else [] for name, rows in calls]

    async def run_unless_partial(self, name: str, /, **params: Any) -> list[tuple[Any, ...]] | None:
        return self.answer(name, None, params)

    def _insert(self, insertion: sql_loader.Insertion, rows: Sequence[Sequence[Any]]) -> list[tuple[Any, ...]]:
        text, indexes = insertion
        if not indexes:
            self._connection.executemany(text, rows)
            return []
        execute = self._connection.cursor().execute
        answer = itemgetter(*indexes)
        return [answer(row) for row in rows if execute(text, row).rowcount]

    async def begin(self, *, durable: bool) -> None:
        """Acquires the file's write lock; waits in the thread while another process holds it.

        A transaction that is not ``durable`` does not wait for the disk: the next durable one makes it so.
        """
        if durable != self._durable:  # here, since it cannot be changed within a transaction
            self.plain(f"PRAGMA synchronous={'FULL' if durable else 'NORMAL'}")
            self._durable = durable
        try:
            self.plain("BEGIN IMMEDIATE")
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:  # the primary code of an extended one
                raise
            self.plain(f"PRAGMA busy_timeout={_BUSY_MS}")
            try:
                await self._wait("BEGIN IMMEDIATE")
            finally:
                self.plain("PRAGMA busy_timeout=0")

    async def commit(self) -> None:
        """Commits; what is durable is then on disk."""
        await self._wait("COMMIT")

    @property
    def changes(self) -> int:
        """The number of rows changed since the connection was opened."""
        return self._connection.total_changes

    def forget_pages(self) -> None:
        """Drops the pages that this connection keeps; it reads them again when it needs them. Outside transactions."""
        self.plain("PRAGMA shrink_memory")

    def rollback(self) -> None:
        """Rolls back what is not committed; of a damaged file SQLite may refuse even that."""
        if self._connection.in_transaction:
            with suppress(sqlite3.DatabaseError):
                self.plain("ROLLBACK")

    def close(self) -> None:
        self._waiting.close()
        super().close()

    async def _wait(self, text: str) -> None:
        """Runs a statement in the thread. A cancelled caller still waits for its end: the connection is in use."""
        done = self._waiting.submit(lambda: self.plain(text))
        try:
            await asyncio.shield(done)
        except asyncio.CancelledError:
            await asyncio.wait([done])
            raise


class ReadConnection:
    """One reading connection, as a Runner."""

    def __init__(self, connection: aiosqlite.Connection, path: Path) -> None:
        self._connection = connection
        self._path = path

    @classmethod
    async def open(cls, path: Path) -> ReadConnection:
        reader = cls(await aiosqlite.connect(path, isolation_level=None), path)
        for setting in READER_SETTINGS:
            await reader.plain(f"PRAGMA {setting}")
        return reader

    async def run(
        self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        found: list[tuple[Any, ...]] = []
        with unreadable(self._path):
            for text, values in _statements(name, rows, params):
                found += await self._connection.execute_fetchall(text, values)  # type: ignore[arg-type]
        return found

    async def plain(self, text: str) -> list[tuple[Any, ...]]:
        return list(await self._connection.execute_fetchall(text))  # type: ignore[arg-type]

    async def close(self) -> None:
        await self._connection.close()


class Pool:
    """A pool of reading connections as one Runner: each query takes the next free connection.

    ``quick`` runs those that look up a handful of rows by their keys, however large the store is: to wake a thread for
    one costs 30 µs, and itself costs one or two a row.
    """

    def __init__(self, free: asyncio.Queue[ReadConnection], quick: InlineConnection) -> None:
        self._free = free
        self._quick = quick

    async def run(
        self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        if name in _BY_KEY and (rows is None or len(rows) <= _HANDFUL):
            return await self._quick.run(name, rows, **params)
        connection = await self._free.get()
        try:
            return await connection.run(name, rows, **params)
        finally:
            self._free.put_nowait(connection)


def _statements(
    name: str, rows: Sequence[Sequence[Any]] | None, params: Mapping[str, Any]
) -> Iterator[tuple[str, list[Any]]]:
    """Yields the statements of a query on SQLite, with their values.

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
        if not text:
            return
        yield text, [*(params[each] for each in names), *chain.from_iterable(rows[start : start + count])]
        start += count


@cache
def _insertion(name: str) -> sql_loader.Insertion | None:
    return sql_loader.as_plain_insert(sql_loader.queries()[name])


@cache
def _prepared(name: str, count: int) -> sql_loader.Prepared:
    return sql_loader.for_sqlite(sql_loader.queries()[name], count)
