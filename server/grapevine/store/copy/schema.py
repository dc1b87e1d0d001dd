"""The tables of a store, read from the catalogue of a SQLite database in memory that has the newest schema."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from functools import cache
from operator import itemgetter
from typing import Any, Final, Literal, NamedTuple

from grapevine.store import sql_loader

Kind = Literal["SMALLINT", "INTEGER", "BIGINT", "TEXT", "DOUBLE PRECISION"]
Row = tuple[Any, ...]
Key = tuple[Any, ...]

LEASES: Final = "leases"
KEY_PROCESSES: Final = "key_processes"
LIVE: Final = ("live_batches", "live_lanes", "live_watches")
READINESS: Final = "readiness"
VERSIONS: Final = "versions"
PAGE_JOIN_STEP: Final = "page_joins"
"""The row of ``versions`` that is no version."""

APART: Final = frozenset({KEY_PROCESSES, LEASES, *LIVE, READINESS, VERSIONS})
"""Tables that are not copied row by row: ``key_processes``, ``leases``, ``readiness`` and the tables of the live feed
belong to processes that run on the source, and ``versions`` to their database, where the number that tells servers to
read the sites again has to rise beyond both."""


class CopiedColumn(NamedTuple):
    """A column, with its type as the schema declares it."""

    name: str
    kind: Kind


class CopiedTable(NamedTuple):
    """A table: its columns without those that the database computes, and the indexes of those in its primary key."""

    name: str
    columns: tuple[CopiedColumn, ...]
    key_indexes: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the columns, in their order."""
        return tuple(column.name for column in self.columns)

    @property
    def key(self) -> tuple[CopiedColumn, ...]:
        """The columns of the primary key, in its order."""
        return tuple(self.columns[index] for index in self.key_indexes)

    def key_of(self, row: Row) -> Key:
        """Returns a row's primary key. Python orders keys as the databases do: integers, and text by code points,
        which is the order of its bytes in UTF-8."""
        return itemgetter(*self.key_indexes)(row) if len(self.key_indexes) > 1 else (row[self.key_indexes[0]],)

    def describe(self, key: Key) -> str:
        """Returns the name of a row for messages."""
        named = (f"{column.name} {value}" for column, value in zip(self.key, key, strict=True))
        return f"{self.name} ({', '.join(named)})"


@cache
def copied_tables() -> tuple[CopiedTable, ...]:
    """Returns every table that is copied row by row."""
    return tuple(table for table in all_tables() if table.name not in APART)


@cache
def all_tables() -> tuple[CopiedTable, ...]:
    """Returns every table of the schema, by name."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for migration in sql_loader.migrations():
            connection.executescript(sql_loader.for_dialect("sqlite", migration.text))
        names = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name"
        ).fetchall()
        return tuple(_table(connection, name) for (name,) in names)


def _table(connection: sqlite3.Connection, name: str) -> CopiedTable:
    # cid, name, type, notnull, default, position in the primary key from 1 or 0, hidden (2 and 3: generated)
    found = connection.execute("SELECT * FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid", (name,)).fetchall()
    key = sorted((position, index) for index, (*_, position, _) in enumerate(found) if position)
    columns = tuple(CopiedColumn(column, kind) for _, column, kind, *_ in found)
    return CopiedTable(name, columns, tuple(index for _, index in key))
