"""PostgreSQL's connections as Runners, and its errors as the product's own."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache
from typing import Any, Final

import asyncpg

from grapevine.config.settings import shown_url
from grapevine.errors import Interrupted, StoreError
from grapevine.store import sql_loader

_PASSING: Final = ("08", "25006", "40", "53", "55P03", "57P")
"""SQLSTATEs (PostgreSQL manual, appendix A) of what may be gone in a moment: a lost connection, a server that became a
standby, a transaction given up for another one's sake, no room or connections left, a lock that was waited for too
long, a server that starts or stops."""
_CONFLICT: Final = ("25006", "40", "53", "55P03")
"""Those that say nothing about a part of the database."""
_UNUSABLE: Final = ("0A", "25", "28", "3D", "55", "57", "58", "F0")
"""What is wrong with the database or the way to it, and not with what it was asked."""
_INTERNAL: Final = "XX000"
"""What Citus says of a worker that is away."""

Connection = asyncpg.Connection | asyncpg.pool.PoolConnectionProxy


class Asking:
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
        """All of them in one statement, since each costs a way to the server and back; but Citus takes no changes in a
        WITH."""
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
            if _is_partly(error):
                return None
            raise

    def _columns(self, name: str, rows: Sequence[Sequence[Any]]) -> list[Sequence[Any] | str]:
        kinds = sql_loader.queries()[name].types
        columns = zip(kinds, zip(*rows, strict=True), strict=True)
        return [sql_loader.array_for_postgres(kind, self._dialect, column) for kind, column in columns]


class Pooled:
    """A pool as a Runner: each query takes the next connection that is free. Raises StoreError."""

    def __init__(self, pool: asyncpg.Pool, url: str, *, citus: bool = False) -> None:
        self._pool = pool
        self._url = url
        self._citus = citus

    async def run(
        self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        with translated(self._url):
            async with self._pool.acquire() as connection:
                with hung_up(connection):
                    return await Asking(connection, citus=self._citus).run(name, rows, **params)


@contextmanager
def hung_up(connection: Connection) -> Iterator[None]:
    """Ends a connection on which an answer was not waited for, or which leads to a server that only reads by now.

    asyncpg would ask the server to cancel and wait until it has, which a server that is silent never does.
    """
    try:
        yield
    except BaseException as error:
        if is_silence(error):
            connection.terminate()
        raise


def is_silence(error: BaseException) -> bool:
    """Whether nothing more can be asked on a connection, not even to roll back."""
    return not isinstance(error, Exception) or isinstance(
        error, OSError | TimeoutError | asyncpg.ReadOnlySQLTransactionError
    )


@contextmanager
def translated(url: str, *, citus: bool = False) -> Iterator[None]:
    """Makes StoreErrors of what says that the database cannot be used, and Interrupted of what may pass.

    What is wrong with a statement or its values stays as it is.
    """
    try:
        yield
    except (OSError, TimeoutError) as error:  # no connection; no answer in time
        raise Interrupted(f"{shown(url)} cannot be reached: {str(error) or 'no answer in time'}") from error
    except asyncpg.PostgresError as error:
        state = error.sqlstate or ""
        if state.startswith(_PASSING) or (citus and state == _INTERNAL):
            raise Interrupted(f"{shown(url)}: {error} ({state})", partly=citus and _is_partly(error)) from error
        if state.startswith(_UNUSABLE):
            raise StoreError(f"{shown(url)} cannot be used: {error} ({state})") from error
        raise
    except asyncpg.DataError:  # an InterfaceError too, but of a value
        raise
    except (asyncpg.InterfaceError, asyncpg.InternalClientError) as error:  # the connection was closed meanwhile
        raise Interrupted(f"{shown(url)}: {error}") from error


def _is_partly(error: asyncpg.PostgresError) -> bool:
    """Whether Citus says it of a worker: that is an ERROR, and what ends our own connection is FATAL."""
    state = error.sqlstate or ""
    away = state == _INTERNAL or (state.startswith(_PASSING) and not state.startswith(_CONFLICT))
    return away and bool(error.severity_en == "ERROR")


def shown(url: str) -> str:
    """The database as errors name it."""
    return f"the database {shown_url(url)}"


@cache
def _combined(names: tuple[str, ...]) -> sql_loader.CombinedQuery:
    return sql_loader.combined_for_postgres([sql_loader.queries()[name] for name in names])


@cache
def _prepared(name: str, dialect: str) -> sql_loader.Prepared:
    return sql_loader.for_postgres(sql_loader.queries()[name], dialect)
