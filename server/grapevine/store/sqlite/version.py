"""Which steps of the schema a database has taken, asked without opening (and so migrating) it."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

from grapevine.errors import StoreError


def sqlite_version(path: Path) -> int:
    """The schema version of the SQLite file at ``path``; 0 when there is none. Raises StoreError for any other file."""
    if not path.exists():
        return 0
    try:
        with closing(sqlite3.connect(path)) as connection:
            ((version,),) = connection.execute("PRAGMA user_version").fetchall()
    except sqlite3.Error as error:
        raise StoreError(f"cannot use the database file {path}: {error}") from None
    return int(version)
