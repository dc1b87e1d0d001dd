"""A SQLite file as one end of a copy. Its statements run in a thread, one at a time."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from grapevine.config.private_files import make_file, make_folder
from grapevine.config.settings import SQLITE
from grapevine.errors import StoreError
from grapevine.store.copy.endpoint import PAGE
from grapevine.store.copy.schema import CopiedTable, Row
from grapevine.store.sqlite.version import apply_migrations, sqlite_version

_SETTINGS: Final = ("busy_timeout=2000", "cache_size=-65536", "temp_store=FILE")
_SOURCE: Final = (*_SETTINGS, "query_only=ON")
# Exclusive mode keeps every other process out. A rollback journal holds no copy of the rows that are added, while a
# write-ahead log would be as large as the file; it replaces the log only when no other process has the file open. The
# next server turns the log on again.
_TARGET: Final = (*_SETTINGS, "locking_mode=EXCLUSIVE", "journal_mode=DELETE", "synchronous=FULL")
_T = TypeVar("_T")


class SQLiteEndpoint:
    """The file at ``path``, which need not exist."""

    holds_nul = True
    consistent = True

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.name = str(path)
        self.address = f"{SQLITE}{path}"
        self.identity = f"{SQLITE}{self.path}"
        self._connection: sqlite3.Connection | None = None

    async def version(self) -> int:
        if self._connection is None:
            return sqlite_version(self.path)
        ((version,),) = await self.query("PRAGMA user_version")
        return int(version)

    async def set_version(self, version: int) -> None:
        await self.query(f"PRAGMA user_version={version:d}")

    async def create_schema(self) -> None:
        if await self.query("SELECT 1 FROM sqlite_schema"):
            raise StoreError(f"the database file {self.name} is no store of Grapevine, but holds something else")
        connection = self._opened()
        await self._in_thread(lambda: apply_migrations(connection.execute, 0))

    async def query(self, text: str, *values: Any) -> list[Row]:
        connection = self._opened()
        return await self._in_thread(lambda: connection.execute(text.replace("$", "?"), values).fetchall())

    @asynccontextmanager
    async def snapshot(self) -> AsyncIterator[None]:
        self._open("rw", _SOURCE)
        async with self._transaction("BEGIN"):
            await self.query("SELECT 1 FROM sqlite_schema")  # the snapshot is taken by the first read
            yield

    async def lock(self) -> None:
        """The file is locked until it is closed; one that does not exist is created, for its owner alone."""
        try:
            make_folder(self.path.parent)
            make_file(self.path)
        except OSError as error:
            raise StoreError(f"the database file {self.name} cannot be used: {error}") from error
        self._open("rw", _TARGET)
        async with self._transaction("BEGIN EXCLUSIVE"):
            pass

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        async with self._transaction("BEGIN IMMEDIATE"):
            yield

    @asynccontextmanager
    async def _transaction(self, begin: str) -> AsyncIterator[None]:
        connection = self._opened()
        await self.query(begin)
        try:
            yield
            await self.query("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    async def pages(self, table: CopiedTable) -> AsyncGenerator[list[Row], None]:
        key, columns = ", ".join(f'"{column.name}"' for column in table.key), ", ".join(f'"{n}"' for n in table.names)
        text = f'SELECT {columns} FROM "{table.name}" ORDER BY {key}'  # noqa: S608  # names of the schema
        connection = self._opened()
        cursor = await self._in_thread(lambda: connection.execute(text))
        try:
            while rows := await self._in_thread(lambda: cursor.fetchmany(PAGE)):
                yield rows
        finally:
            cursor.close()

    async def insert(self, table: CopiedTable, rows: list[Row]) -> None:
        columns, marks = ", ".join(f'"{name}"' for name in table.names), ", ".join("?" * len(table.columns))
        text = f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})'  # noqa: S608
        connection = self._opened()
        # The cursor is closed in its thread: garbage collection in another one would reset the next page's statement.
        await self._in_thread(lambda: connection.executemany(text, rows).close())

    async def empty(self, tables: tuple[CopiedTable, ...]) -> None:
        for table in tables:
            await self.query(f'DELETE FROM "{table.name}"')  # noqa: S608

    async def analyze(self, tables: tuple[CopiedTable, ...]) -> None:
        """Does nothing: the queries are written for the plans that SQLite makes without statistics."""

    def close(self) -> None:
        """Closes the file, if it is open."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _open(self, mode: str, settings: tuple[str, ...]) -> None:
        with self._mapped_errors():
            self._connection = sqlite3.connect(
                f"{self.path.as_uri()}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False
            )
            self._connection.text_factory = _decode
            for setting in settings:
                self._connection.execute(f"PRAGMA {setting}")

    def _opened(self) -> sqlite3.Connection:
        if self._connection is None:
            raise StoreError(f"the database file {self.name} is not open")
        return self._connection

    @contextmanager
    def _mapped_errors(self) -> Iterator[None]:
        """Raises StoreError instead of SQLite's errors."""
        try:
            yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                raise StoreError(
                    f"the database file {self.name} is in use by another process: stop the server, and whatever else "
                    "has it open"
                ) from error
            raise StoreError(f"the database file {self.name} cannot be used: {error}") from error

    async def _in_thread(self, work: Callable[[], _T]) -> _T:
        """Runs ``work`` in a thread. A cancelled caller waits for its end too, as the connection is in use."""

        def mapped() -> _T:
            with self._mapped_errors():
                return work()

        done = asyncio.ensure_future(asyncio.to_thread(mapped))
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            await asyncio.gather(done, return_exceptions=True)
            raise


def _decode(encoded: bytes) -> str:
    """Keeps bytes that are not UTF-8 as surrogates, which ``validate`` refuses with their place."""
    return encoded.decode("utf-8", "surrogateescape")
