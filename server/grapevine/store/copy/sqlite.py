"""A SQLite file as one end of a copy: taken for the copy alone, so that no server writes to it meanwhile."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from typing import Any, Final, TypeVar

from grapevine.config.settings import SQLITE
from grapevine.errors import StoreError
from grapevine.store.copy.endpoint import PAGE
from grapevine.store.copy.schema import Key, Row, Table
from grapevine.store.sqlite.store import SQLiteStore
from grapevine.store.sqlite.version import sqlite_version

# In exclusive mode a connection gets its first lock only when no other process has the file open, and keeps it.
_SETTINGS: Final = (
    "busy_timeout=2000", "locking_mode=EXCLUSIVE", "synchronous=FULL", "cache_size=-65536", "temp_store=FILE",
)  # fmt: skip
_T = TypeVar("_T")


class FileEnd:
    """The file at ``path``, which need not be there yet."""

    holds_nul = True

    def __init__(self, path: Path) -> None:
        self.path = path.resolve()
        self.shown = str(path)
        self.address = f"{SQLITE}{path}"
        self.identity = f"{SQLITE}{self.path}"
        self._connection: sqlite3.Connection | None = None

    async def version(self) -> int:
        if self._connection is None:
            return sqlite_version(self.path)
        ((version,),) = await self.ask("PRAGMA user_version")
        return int(version)

    async def claim(self) -> None:
        """Nothing: a file has one who works on it from the first question on."""

    async def make(self) -> None:
        if self.path.exists() and await self.ask("SELECT 1 FROM sqlite_schema"):
            raise StoreError(f"the database file {self.shown} is no store of Grapevine, but holds something else")
        self.close()
        store = SQLiteStore(self.path)
        await store.open()
        await store.close()

    async def has_table(self, name: str) -> bool:
        return bool(await self.ask("SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = $1", name))

    async def ask(self, text: str, *values: Any) -> list[Row]:
        connection = self._connected()
        return await self._beside(lambda: connection.execute(text.replace("$", "?"), values).fetchall())

    @asynccontextmanager
    async def still(self) -> AsyncIterator[None]:
        async with self.transaction():
            yield

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[None]:
        connection = self._connected()
        await self.ask("BEGIN IMMEDIATE")
        try:
            yield
            await self.ask("COMMIT")
        finally:
            if connection.in_transaction:
                connection.execute("ROLLBACK")

    async def pages(self, table: Table, after: Key | None = None) -> AsyncGenerator[list[Row], None]:
        key = ", ".join(f'"{column.name}"' for column in table.key)
        behind = f" WHERE ({key}) > ({', '.join('?' * len(after))})" if after else ""
        columns = ", ".join(f'"{name}"' for name in table.names)
        text = f'SELECT {columns} FROM "{table.name}"{behind} ORDER BY {key}'  # noqa: S608  # names of the schema
        connection = self._connected()
        cursor = await self._beside(lambda: connection.execute(text, after or ()))
        try:
            while rows := await self._beside(lambda: cursor.fetchmany(PAGE)):
                yield rows
        finally:
            cursor.close()

    async def insert(self, table: Table, rows: list[Row]) -> None:
        columns, marks = ", ".join(f'"{name}"' for name in table.names), ", ".join("?" * len(table.columns))
        text = f'INSERT INTO "{table.name}" ({columns}) VALUES ({marks})'  # noqa: S608
        connection = self._connected()
        # Closed where it was used: what is left of it would reset the next page's statement from another thread.
        await self._beside(lambda: connection.executemany(text, rows).close())

    async def empty(self, tables: tuple[Table, ...]) -> None:
        for table in tables:
            await self.ask(f'DELETE FROM "{table.name}"')  # noqa: S608

    async def settle(self, tables: tuple[Table, ...]) -> None:
        """Nothing: the queries are written for the plans that SQLite makes without statistics."""

    def close(self) -> None:
        """Lets go of the file; closed ends stay as they are."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _connected(self) -> sqlite3.Connection:
        if self._connection is None:
            with self._usable():
                self._connection = sqlite3.connect(
                    f"{self.path.as_uri()}?mode=rw", uri=True, isolation_level=None, check_same_thread=False
                )
                self._connection.text_factory = _text
                for setting in _SETTINGS:
                    self._connection.execute(f"PRAGMA {setting}")
                self._connection.execute("BEGIN EXCLUSIVE")
                self._connection.execute("COMMIT")
        return self._connection

    @contextmanager
    def _usable(self) -> Iterator[None]:
        """Makes StoreErrors of what SQLite raises."""
        try:
            yield
        except sqlite3.Error as error:
            if getattr(error, "sqlite_errorcode", 0) & 0xFF == sqlite3.SQLITE_BUSY:
                self.close()
                raise StoreError(
                    f"the database file {self.shown} is in use by another process: stop the server, and whatever else "
                    "has it open"
                ) from error
            raise StoreError(f"the database file {self.shown} cannot be used: {error}") from error

    async def _beside(self, work: Callable[[], _T]) -> _T:
        """Does ``work`` in a thread, a page at most; who is cancelled meanwhile still waits, as the connection is in
        use."""

        def usable() -> _T:
            with self._usable():
                return work()

        done = asyncio.ensure_future(asyncio.to_thread(usable))
        try:
            return await asyncio.shield(done)
        except asyncio.CancelledError:
            await asyncio.gather(done, return_exceptions=True)
            raise


def _text(encoded: bytes) -> str:
    return encoded.decode("utf-8", "surrogateescape")
