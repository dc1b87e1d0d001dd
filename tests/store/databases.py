"""Databases that tests change with SQL of their own: SQLite files and PostgreSQL databases, empty or holding worlds.

A world is written once a session and backend; every test gets a copy of its own.
"""

from __future__ import annotations

import re
import shutil
import sqlite3
from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager, closing
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import asyncpg

from grapevine.config.settings import Settings
from grapevine.store.copy.schema import all_tables
from grapevine.store.postgres.store import PostgresStore
from grapevine.store.sqlite.store import SQLiteStore
from tests.store.world import SITE, World, grow
from tests.store.world_rows import rows_of
from tests.support.backends import Backend
from tests.support.citus import Cluster
from tests.support.postgres import Postgres


class Plant(NamedTuple):
    """Names a world: the same one grows from it every time."""

    seed: int
    site_id: int = SITE
    size: int = 150


class Database(ABC):
    """One database, not opened as a store. Statements take ``?`` for each of their values."""

    def __init__(self, setting: str) -> None:
        self.settings = Settings(database=setting)

    @abstractmethod
    def store(self) -> Backend:
        """Returns its store, not yet open."""

    @abstractmethod
    async def change(self, text: str, *values: Any) -> int:
        """Runs a statement and returns the number of rows it changed."""

    @abstractmethod
    async def rows(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        """Returns the rows of a statement."""

    @abstractmethod
    async def insert(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        """Inserts rows with all columns."""

    async def fill(self, world: World) -> None:
        """Adds all rows of a world, counts and summaries included."""
        for table, rows in rows_of(world).items():
            await self.insert(table, rows)


class SQLiteFile(Database):
    """A SQLite database in a file."""

    def __init__(self, path: Path) -> None:
        super().__init__(f"sqlite:///{path}")
        self.path = path

    def store(self) -> SQLiteStore:
        return SQLiteStore(self.path)

    async def change(self, text: str, *values: Any) -> int:
        with closing(sqlite3.connect(self.path, isolation_level=None)) as connection:
            return connection.execute(text, values).rowcount

    async def rows(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        with closing(sqlite3.connect(self.path)) as connection:
            return connection.execute(text, values).fetchall()

    async def insert(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        found = list(rows)
        with closing(sqlite3.connect(self.path)) as connection, connection:
            if found:
                connection.executemany(_insert(table), found)


class PostgresDatabase(Database):
    """A database of a PostgreSQL server, or a schema of a cluster."""

    def __init__(self, server: Postgres | Cluster, name: str) -> None:
        self.url = server.url(name)
        super().__init__(self.url)
        self.name = name

    def store(self) -> PostgresStore:
        return PostgresStore(self.url)

    async def change(self, text: str, *values: Any) -> int:
        async with self._connected() as connection:
            done: str = await connection.execute(_numbered(text), *values)
            number = done.rpartition(" ")[2]
            return int(number) if number.isdigit() else 0

    async def rows(self, text: str, *values: Any) -> list[tuple[Any, ...]]:
        async with self._connected() as connection:
            return [tuple(record) for record in await connection.fetch(_numbered(text), *values)]

    async def insert(self, table: str, rows: Iterable[tuple[Any, ...]]) -> None:
        found = list(rows)
        async with self._connected() as connection:
            if found:
                await connection.executemany(_numbered(_insert(table)), found)

    @asynccontextmanager
    async def _connected(self) -> AsyncIterator[asyncpg.Connection]:
        connection = await asyncpg.connect(self.url)
        try:
            yield connection
        finally:
            await connection.close()


class Databases(ABC):
    """Makes databases of one backend by copying; what is copied is made when it is first asked for."""

    def __init__(self) -> None:
        self._made: dict[tuple[Plant, ...], Database] = {}

    @asynccontextmanager
    async def holding(self, *plants: Plant) -> AsyncIterator[Database]:
        """A database with the schema and these worlds, gone with the block."""
        if plants not in self._made:
            original = self._copy(self._made.get(()))
            for plant in plants:
                await original.fill(grow(*plant))
            self._made[plants] = original
        database = self._copy(self._made[plants])
        try:
            yield database
        finally:
            self._drop(database)

    @abstractmethod
    def _copy(self, original: Database | None) -> Database: ...

    @abstractmethod
    def _drop(self, database: Database) -> None: ...


class SQLiteFiles(Databases):
    """Files in ``folder``, all of them copies of ``empty``, or copies of copies."""

    def __init__(self, folder: Path, empty: Path) -> None:
        super().__init__()
        self._folder = folder
        self._empty = empty
        self._numbers = count(1)

    def _copy(self, original: Database | None) -> SQLiteFile:
        source = original.path if isinstance(original, SQLiteFile) else self._empty
        return SQLiteFile(Path(shutil.copy(source, self._folder / f"{next(self._numbers)}.sqlite3")))

    def _drop(self, database: Database) -> None:
        assert isinstance(database, SQLiteFile)
        for file in self._folder.glob(f"{database.path.name}*"):
            file.unlink()


class PostgresDatabases(Databases):
    """Databases of ``server``, all of them copies of ``empty``, or copies of copies; a cluster makes empty ones
    itself."""

    def __init__(self, server: Postgres | Cluster, empty: str = "") -> None:
        super().__init__()
        self._server = server
        self._empty = empty

    def _copy(self, original: Database | None) -> PostgresDatabase:
        source = original.name if isinstance(original, PostgresDatabase) else self._empty
        return PostgresDatabase(self._server, self._server.create(source))

    def _drop(self, database: Database) -> None:
        assert isinstance(database, PostgresDatabase)
        self._server.drop(database.name)


def _insert(table: str) -> str:
    names = next(found.names for found in all_tables() if found.name == table)
    return f"INSERT INTO {table} ({', '.join(names)}) VALUES ({', '.join('?' * len(names))})"


def _numbered(text: str) -> str:
    numbers = count(1)
    return re.sub(r"\?", lambda _: f"${next(numbers)}", text)
