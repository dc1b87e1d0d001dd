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
from grapevine.store.copy.schema import VERSIONS, CopiedTable, Row, all_tables
from grapevine.store.postgres import store as postgres
from grapevine.store.postgres.citus import has_citus
from grapevine.store.postgres.errors import map_errors, shown
from grapevine.store.postgres.hosts import Hosts

_CONNECT_SECONDS: Final = 5.0
_CLOSE_SECONDS: Final = 5.0
_COPY_LOCK: Final = 0x67_72_61_70_65_63  # "grapec": the key of the advisory lock of a copy's target
# A copy may take any time, but it does not wait long for locks.
_SETTINGS: Final = (
    ("statement_timeout", "0"), ("idle_in_transaction_session_timeout", "0"), ("lock_timeout", "5s"),
)  # fmt: skip
_IDENTITY: Final = """
SELECT 'postgresql:' || system_identifier || '/' || current_database() || '/' || current_schema()
FROM pg_control_system()"""


class PostgresEndpoint:
    """The database at ``url``, over one connection. On Citus each node has a snapshot of its own."""

    holds_nul = False

    def __init__(self, url: str, connection: asyncpg.Connection, identity: str, *, citus: bool) -> None:
        self.name = shown(url)
        self.address = redacted_url(url)
        self.identity = identity
        self.consistent = not citus
        self._url = url
        self._connection = connection

    async def version(self) -> int:
        with self._mapped_errors():
            return await postgres.version(self._connection)

    async def set_version(self, version: int) -> None:
        await self.query(f"UPDATE {VERSIONS} SET version = $1 WHERE name = 'schema'", version)  # noqa: S608

    async def create_schema(self) -> None:
        for table in all_tables():
            if await self.query("SELECT 1 WHERE to_regclass($1) IS NOT NULL", table.name):
                raise StoreError(f"{self.name} is no store of Grapevine, but has a table {table.name}")
        with self._mapped_errors():
            await postgres.migrate(self._connection, self._url)

    async def query(self, text: str, *values: Any) -> list[Row]:
        with self._mapped_errors():
            return [tuple(record) for record in await self._connection.fetch(text, *values)]

    def snapshot(self) -> AbstractAsyncContextManager[None]:
        return self._transaction("repeatable_read", readonly=True)

    async def lock(self) -> None:
        """The advisory lock is released when the connection is closed."""
        if await self.query("SELECT pg_try_advisory_lock($1)", _COPY_LOCK) == [(False,)]:
            raise StoreError(f"another copy is at work on {self.name}")

    def transaction(self) -> AbstractAsyncContextManager[None]:
        return self._transaction()

    @asynccontextmanager
    async def _transaction(
        self, isolation: Literal["repeatable_read"] | None = None, *, readonly: bool = False
    ) -> AsyncIterator[None]:
        """Maps errors of its own statements alone, as the block may raise those of the other database."""
        transaction = self._connection.transaction(isolation=isolation, readonly=readonly)
        with self._mapped_errors():
            await transaction.start()
        try:
            yield
        except BaseException:
            with suppress(StoreError), self._mapped_errors():
                await transaction.rollback()
            raise
        with self._mapped_errors():
            await transaction.commit()

    def _mapped_errors(self) -> AbstractContextManager[None]:
        return map_errors(self._url, citus=True)

    async def pages(self, table: CopiedTable) -> AsyncGenerator[list[Row], None]:
        # Text is ordered by its bytes, as SQLite and Python order it.
        key = ", ".join(f'"{column.name}"' + (' COLLATE "C"' if column.kind == "TEXT" else "") for column in table.key)
        columns = ", ".join(f'"{name}"' for name in table.names)
        text = f'SELECT {columns} FROM "{table.name}" ORDER BY {key}'  # noqa: S608  # names of the schema
        with self._mapped_errors():
            cursor = await self._connection.cursor(text)
            while records := await cursor.fetch(PAGE):
                yield list(map(tuple, records))

    async def insert(self, table: CopiedTable, rows: list[Row]) -> None:
        with self._mapped_errors():
            # A COPY that begins on a lost connection fails twice in asyncpg: once here, and once in a future that is
            # never awaited. A query before it fails once.
            await self._connection.execute("SELECT 1")
            await self._connection.copy_records_to_table(table.name, records=rows, columns=table.names)

    async def empty(self, tables: tuple[CopiedTable, ...]) -> None:
        names = ", ".join(f'"{table.name}"' for table in tables)
        await self.query(f"TRUNCATE {names}")

    async def analyze(self, tables: tuple[CopiedTable, ...]) -> None:
        """Without statistics, a plan may read whole tables."""
        for table in tables:
            await self.query(f'ANALYZE "{table.name}"')


@asynccontextmanager
async def postgres_endpoint(url: str) -> AsyncIterator[PostgresEndpoint]:
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
            identity = str(await connection.fetchval(_IDENTITY))
            citus = await has_citus(connection)
        yield PostgresEndpoint(url, connection, identity, citus=citus)
    finally:
        await connection.close(timeout=_CLOSE_SECONDS)
