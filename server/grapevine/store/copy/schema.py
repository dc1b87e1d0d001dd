"""What a store's tables are, read from the catalogue of a database that has taken every step of the schema."""

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
VERSIONS: Final = "versions"
APART: Final = frozenset({LEASES, VERSIONS})
"""Tables that are not moved row by row.

``leases`` belong to processes that run on the source; a server on the target takes its own. ``versions`` belong to
their database: its schema is its own, and the number that tells servers to read the sites again has to rise beyond
both."""
_LAST: Final = "sites"


class Column(NamedTuple):
    """A column, with its type as the schema declares it."""

    name: str
    kind: Kind


class Table(NamedTuple):
    """A table: its columns without those that the database computes, and which of them its primary key is made of."""

    name: str
    columns: tuple[Column, ...]
    places: tuple[int, ...]

    @property
    def names(self) -> tuple[str, ...]:
        """The columns' names."""
        return tuple(column.name for column in self.columns)

    @property
    def key(self) -> tuple[Column, ...]:
        """The columns of the primary key, in its order."""
        return tuple(self.columns[place] for place in self.places)

    def key_of(self, row: Row) -> Key:
        """A row's primary key. Keys of Python order as the databases order them: whole numbers, and text by its code
        points, which is the order of its bytes."""
        return itemgetter(*self.places)(row) if len(self.places) > 1 else (row[self.places[0]],)

    def spot(self, key: Key) -> str:
        """Where a row is, for people."""
        named = (f"{column.name} {value}" for column, value in zip(self.key, key, strict=True))
        return f"{self.name} ({', '.join(named)})"


@cache
def newest() -> int:
    """The version of the schema that this Grapevine knows."""
    return sql_loader.migrations()[-1].number


@cache
def moved_tables() -> tuple[Table, ...]:
    """Every table that is moved row by row.

    ``sites`` come last: a server that is started too early on the target knows no site and so stores nothing there.
    """
    tables = [table for table in all_tables() if table.name not in APART]
    return tuple(sorted(tables, key=lambda table: (table.name == _LAST, table.name)))


@cache
def all_tables() -> tuple[Table, ...]:
    """Every table of the schema, from a database in memory that is made for the question."""
    with closing(sqlite3.connect(":memory:")) as connection:
        for migration in sql_loader.migrations():
            connection.executescript(sql_loader.for_dialect("sqlite", migration.text))
        names = connection.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite!_%' ESCAPE '!' ORDER BY name"
        ).fetchall()
        return tuple(_table(connection, name) for (name,) in names)


def _table(connection: sqlite3.Connection, name: str) -> Table:
    # cid, name, type, notnull, default, place in the primary key from 1 or 0, hidden (2 and 3: generated)
    found = connection.execute("SELECT * FROM pragma_table_xinfo(?) WHERE hidden = 0 ORDER BY cid", (name,)).fetchall()
    places = sorted((in_key, place) for place, (*_, in_key, _) in enumerate(found) if in_key)
    columns = tuple(Column(column, kind) for _, column, kind, *_ in found)
    return Table(name, columns, tuple(place for _, place in places))
