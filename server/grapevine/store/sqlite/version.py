"""The schema version of a SQLite file, and the migrations that raise it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from grapevine.config.private_files import advice
from grapevine.errors import StoreError
from grapevine.store import sql_loader


def sqlite_version(path: Path) -> int:
    """Returns the schema version of the SQLite file at ``path``, which is neither created nor migrated; 0 when there is
    none. Raises StoreError for any other file."""
    try:
        if not path.exists():
            return 0
        with closing(sqlite3.connect(path)) as connection:
            ((version,),) = connection.execute("PRAGMA user_version").fetchall()
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"cannot use the database file {path}: {error}{advice(error)}") from None
    return int(version)


def apply_migrations(execute: Callable[[str], object], version: int) -> None:
    """Runs every migration after ``version``, statement by statement, in the transaction that is open."""
    for migration in sql_loader.migrations():
        if migration.number > version:
            statement = ""
            for line in sql_loader.for_dialect("sqlite", migration.text).splitlines(keepends=True):
                statement += line  # every statement ends at the end of a line
                if sqlite3.complete_statement(statement):
                    execute(statement)
                    statement = ""
            execute(f"PRAGMA user_version={migration.number}")
