"""A PostgreSQL database, also with Citus, as one end of a copy."""

from __future__ import annotations

from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager, suppress
from typing import Any, Final, Literal

import asyncpg
from asyncpg.connect_utils import SessionAttribute

from grapevine.config.settings import redacted_url
from grapevine.errors import StoreError
from grapevine.store.copy.endpoint import PAGE
from grapevine.store.copy.schema import Key, Row, Table, all_tables, moved_tables
from grapevine.store.postgres import store as postgres
from grapevine.store.postgres.errors import map_errors, shown
from grapevine.store.postgres.hosts import Hosts

_CONNECT_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 5.0
_COPYING: Final = 0x67_72_61_70_65_63  # "grapec": who copies into or out of a database holds this lock
# A copy takes as long as it takes, but nobody waits long for locks that somebody else has.
_SETTINGS: Final = (
    ("statement_timeout", "0"), ("idle_in_transaction_session_timeout", "0"), ("lock_timeout", "5s"),
)  # fmt: skip


_IDENTITY: Final = """
SELECT 'postgresql:' || system_identifier || '/' || current_database() || '/' || current_schema()
FROM pg_control_system()"""


class DatabaseEnd:
    """The database at ``url``, over one connection."""

    holds_nul = False

    def __init__(self, url: str, connection: asyncpg.Connection, identity: str) -> None:
        self.shown = shown(url)
        self.address = redacted_url(url)
        self.identity = identity
        self._url = url
        self._connection = connection

    async def version(self) -> int:
        with self._telling():
            return await postgres.version(self._connection)

    async def claim(self) -> None:
        """The lock falls with the connection."""
        try:
            await self.ask("SELECT pg_advisory_lock($1)", _COPYING)
        except StoreError as error:
            if isinstance(error.__cause__, asyncpg.LockNotAvailableError):
                raise StoreError(f"another copy is at work on {self.shown}") from None
            raise

    async def make(self) -> None:
        for table in all_tables():
            if await self.has_table(table.name):
                raise StoreError(f"{self.shown} is no store of Grapevine, but has a table {table.name}")
        with self._telling():
            await postgres.migrate(self._connection, self._url)

    async def has_table(self, name: str) -> bool:
        return (await self.ask("SELECT to_regclass($1) IS NOT NULL", name))[0][0] is True

    async def ask(self, text: str, *values: Any) -> list[Row]:
        with self._telling():
            return [tuple(record) for record in await self._connection.fetch(text, *values)]

    @asynccontextmanager
    async def still(self) -> AsyncIterator[None]:
        """A SHARE lock lets everybody read and nobody write; taken first, so that the moment lies behind it."""
        async with self._within(isolation="repeatable_read"):
            names = ", ".join(f'"{table.name}"' for table in moved_tables())
            try:
                await self.ask(f"LOCK TABLE {names} IN SHARE MODE")
            except StoreError as error:
                if isinstance(error.__cause__, asyncpg.LockNotAvailableError):
                    raise StoreError(f"somebody writes to {self.shown}: stop its servers first") from None
                raise
            yield

    def transaction(self) -> AbstractAsyncContextManager[None]:
        return self._within()

    @asynccontextmanager
    async def _within(self, isolation: Literal["repeatable_read"] | None = None) -> AsyncIterator[None]:
        """A transaction in which only its own statements' errors are taken for the database's."""
        transaction = self._connection.transaction(isolation=isolation)
        with self._telling():
            await transaction.start()
        try:
            yield
        except BaseException:
            with suppress(StoreError), self._telling():
                await transaction.rollback()
            raise
        with self._telling():
            await transaction.commit()

    def _telling(self) -> AbstractContextManager[None]:
        """Makes StoreErrors of what the database says, also of what a cluster says of one of its workers."""
        return map_errors(self._url, citus=True)

    async def pages(self, table: Table, after: Key | None = None) -> AsyncGenerator[list[Row], None]:
        # Byte by byte is the order that both dialects and Python have in common.
        key = ", ".join(f'"{column.name}"' + (' COLLATE "C"' if column.kind == "TEXT" else "") for column in table.key)
        behind = f" WHERE ({key}) > ({', '.join(f'${number}' for number in range(1, len(after) + 1))})" if after else ""
        columns = ", ".join(f'"{name}"' for name in table.names)
        text = f'SELECT {columns} FROM "{table.name}"{behind} ORDER BY {key}'  # noqa: S608  # names of the schema
        with self._telling():
            cursor = await self._connection.cursor(text, *(after or ()))
            while records := await cursor.fetch(PAGE):
                yield list(map(tuple, records))

    async def insert(self, table: Table, rows: list[Row]) -> None:
        with self._telling():
            await self._connection.copy_records_to_table(table.name, records=rows, columns=table.names)

    async def empty(self, tables: tuple[Table, ...]) -> None:
        names = ", ".join(f'"{table.name}"' for table in tables)
        await self.ask(f"TRUNCATE {names}")

    async def settle(self, tables: tuple[Table, ...]) -> None:
        """Statistics at once, as plans made without them may read whole tables."""
        for table in tables:
            await self.ask(f'ANALYZE "{table.name}"')


@asynccontextmanager
async def database_end(url: str) -> AsyncIterator[DatabaseEnd]:
    """Connects for as long as the block runs. Raises StoreError."""
    with map_errors(url):
        try:
            connection = await Hosts(url).connect(
                timeout=_CONNECT_SECONDS, target_session_attrs=SessionAttribute.primary
            )
        except (ValueError, asyncpg.PostgresError) as error:
            raise StoreError(f"{shown(url)} cannot be used: {error}") from error
    try:
        with map_errors(url):
            for name, value in _SETTINGS:
                await connection.execute("SELECT set_config($1, $2, false)", name, value)
            identity = await connection.fetchval(_IDENTITY)
        yield DatabaseEnd(url, connection, str(identity))
    finally:
        await connection.close(timeout=_CLOSE_SECONDS)
