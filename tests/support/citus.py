"""A running Citus cluster; each test gets a schema of its own with distributed tables.

A database would have to be made on every node, and a template does not carry distributed tables.
"""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable
from io import BytesIO
from itertools import count
from typing import Final

import asyncpg

from grapevine.store.postgres.citus import distribute
from grapevine.store.postgres.store import PostgresStore
from grapevine.store.sql_loader import table_names
from tests.support.truncate import execute, run_in_thread

CITUS: Final = os.environ.get("GRAPEVINE_TEST_CITUS", "")
"""The coordinator's database, with the extension and its workers added; empty where no cluster is at hand."""

_TURNS: Final = f"SELECT pg_advisory_lock({0x67_72_61_70_65_73})"
_COLUMNS: Final = """
SELECT attname::text FROM pg_attribute
WHERE attrelid = to_regclass($1) AND attnum > 0 AND NOT attisdropped AND attgenerated = '' ORDER BY attnum
"""


async def spread(url: str) -> None:
    """Distributes the tables at ``url``, in few shards."""
    async for _ in distribute(url, 0, 4):
        pass


class Cluster:
    """Makes schemas of the database at ``url``, as ``Postgres`` makes databases of a server."""

    def __init__(self, url: str, spread: Callable[[str], Awaitable[None]] = spread) -> None:
        self._url = url
        self._spread = spread
        self._names = (f"grapevine_{os.urandom(4).hex()}_{number}" for number in count(1))
        self._made: list[str] = []

    def url(self, name: str) -> str:
        """Returns the URL of a schema."""
        return f"{self._url}{'&' if '?' in self._url else '?'}search_path={name}"

    def create(self, template: str = "") -> str:
        """A new schema with distributed tables and the rows of ``template``, if one is named; returns its name."""
        name = next(self._names)
        self._made.append(name)
        run_in_thread(self._create(name, template))
        return name

    def drop(self, name: str) -> None:
        """Takes a schema away. One process at a time does, as each locks what others distribute meanwhile."""
        self._made.remove(name)
        run_in_thread(execute(self._url, _TURNS, f"DROP SCHEMA IF EXISTS {name} CASCADE"))

    def clear(self) -> None:
        """Drops all schemas that it created."""
        for name in self._made[:]:
            self.drop(name)

    async def _create(self, name: str, template: str) -> None:
        await execute(self._url, f"CREATE SCHEMA {name}")
        store = PostgresStore(self.url(name))
        await store.open()
        await store.close()
        turn = await asyncpg.connect(self._url)
        try:
            await turn.execute(_TURNS)
            await self._spread(self.url(name))
        finally:
            await turn.close()
        if template:
            await self._fill(name, template)

    async def _fill(self, name: str, template: str) -> None:
        connection = await asyncpg.connect(self._url)
        try:
            await connection.execute(f"DELETE FROM {name}.versions")
            for table in sorted(table_names()):
                columns = [row[0] for row in await connection.fetch(_COLUMNS, f"{name}.{table}")]
                rows = BytesIO()
                await connection.copy_from_query(f"SELECT {', '.join(columns)} FROM {template}.{table}", output=rows)
                rows.seek(0)
                await connection.copy_to_table(table, schema_name=name, columns=columns, source=rows)
        finally:
            await connection.close()
