"""A consistent snapshot of a PostgreSQL database, and its schema version; the database is not migrated."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Final

import asyncpg

from grapevine.errors import StoreError
from grapevine.store.postgres import store as postgres
from grapevine.store.postgres.citus import has_citus
from grapevine.store.postgres.connection import ConnectionRunner
from grapevine.store.postgres.errors import map_errors, shown
from grapevine.store.postgres.hosts import Hosts

_CONNECT_SECONDS: Final = 5.0


class PostgresSnapshot(ConnectionRunner):
    """A Snapshot: every query sees the database as it was at the first query."""

    async def faults(self, most: int) -> list[str]:  # noqa: ARG002
        """Returns nothing: PostgreSQL checks its own files (checksums, amcheck)."""
        return []


@asynccontextmanager
async def snapshot(url: str) -> AsyncIterator[PostgresSnapshot]:
    """A snapshot of the database at ``url``, in a read-only transaction; on Citus each node has one of its own. Raises
    StoreError."""
    try:
        with map_errors(url):
            async with connected(url) as connection:
                # Sums of whole numbers are numeric, which asyncpg would return as Decimal.
                await connection.set_type_codec("numeric", schema="pg_catalog", encoder=str, decoder=int, format="text")
                citus = await has_citus(connection)
                async with connection.transaction(isolation="repeatable_read", readonly=True):
                    yield PostgresSnapshot(connection, citus=citus)
    except asyncpg.PostgresError as error:  # nothing is asked that a whole database could not answer
        raise StoreError(f"{shown(url)} cannot be read: {error}") from error


async def postgres_version(url: str) -> int:
    """Returns the schema version of the database at ``url``; 0 when it has no tables. Raises StoreError."""
    with map_errors(url):
        async with connected(url) as connection:
            return await postgres.version(connection)


@asynccontextmanager
async def connected(url: str) -> AsyncIterator[asyncpg.Connection]:
    """A connection to the first host of ``url`` that answers. Raises StoreError."""
    try:
        connection = await Hosts(url).connect(timeout=_CONNECT_SECONDS)
    except (ValueError, asyncpg.PostgresError) as error:
        raise StoreError(f"{shown(url)} cannot be used: {error}") from error
    try:
        yield connection
    finally:
        await connection.close()
