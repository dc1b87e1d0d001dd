"""PostgreSQL's connections as query runners."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any

import asyncpg

from grapevine.store import sql_loader
from grapevine.store.postgres.errors import is_partial_outage, is_unresponsive, map_errors

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy


class ConnectionRunner:
    """One connection as a Runner."""

    def __init__(self, connection: Connection, *, citus: bool = False) -> None:
        self._connection = connection
        self._dialect = "citus" if citus else "postgres"

    async def run(
        self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        text, names = _prepared(name, self._dialect)
        if not text or (rows is not None and not rows):
            return []
        values: list[Any] = [params[each] for each in names]
        if rows:
            values += self._columns(name, rows)
        return [tuple(record) for record in await self._connection.fetch(text, *values)]

    async def run_many(self, calls: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> list[list[tuple[Any, ...]]]:
        """Runs all in one statement, which saves round trips; on Citus one by one, as it takes no changes in a WITH."""
        named = {name: rows for name, rows in calls if rows}
        if self._dialect == "citus" or len(named) <= 1:
            return [await self.run(name, rows) for name, rows in calls]
        text, answering = _combined(tuple(named))
        columns = [column for name, rows in named.items() for column in self._columns(name, rows)]
        (answers,) = await self._connection.fetch(text, *columns)
        found = dict(zip(answering, answers, strict=True))
        return [[tuple(record) for record in found.get(name, ())] for name, _ in calls]

    async def run_unless_partial(self, name: str, /, **params: Any) -> list[tuple[Any, ...]] | None:
        if self._dialect != "citus":
            return await self.run(name, **params)
        try:
            async with self._connection.transaction():  # a savepoint in that which is open
                return await self.run(name, **params)
        except asyncpg.PostgresError as error:
            if is_partial_outage(error):
                return None
            raise

    def _columns(self, name: str, rows: Sequence[Sequence[Any]]) -> list[Sequence[Any] | str]:
        kinds = sql_loader.queries()[name].types
        columns = zip(kinds, zip(*rows, strict=True), strict=True)
        return [sql_loader.array_for_postgres(kind, self._dialect, column) for kind, column in columns]


class PoolRunner:
    """A pool as a Runner: each query takes the next connection that is free. Raises StoreError."""

    def __init__(self, pool: asyncpg.Pool, url: str, *, citus: bool = False) -> None:
        self._pool = pool
        self._url = url
        self._citus = citus

    async def run(
        self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        with map_errors(self._url):
            async with self._pool.acquire() as connection:
                with drop_if_dead(connection):
                    return await ConnectionRunner(connection, citus=self._citus).run(name, rows, **params)


@contextmanager
def drop_if_dead(connection: Connection) -> Iterator[None]:
    """Terminates a connection that is useless after an error, such as a timeout or a server that became a standby.

    asyncpg would ask the server to cancel and wait for it, for ever where the server does not respond.
    """
    try:
        yield
    except BaseException as error:
        if is_unresponsive(error):
            connection.terminate()
        raise


@cache
def _combined(names: tuple[str, ...]) -> sql_loader.CombinedQuery:
    return sql_loader.combined_for_postgres([sql_loader.queries()[name] for name in names])


@cache
def _prepared(name: str, dialect: str) -> sql_loader.Prepared:
    return sql_loader.for_postgres(sql_loader.queries()[name], dialect)
