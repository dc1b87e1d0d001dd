"""Which of SQLite's errors mean that the file cannot be used, as opposed to an invalid change."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from grapevine.errors import StoreError

_PRIMARY: Final = 0xFF  # extended codes hold the primary one in their low byte
_DAMAGED: Final = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)


def store_error(path: Path, doing: str, error: BaseException) -> StoreError | None:
    """Returns the StoreError for an error of SQLite while ``doing`` ("read", "written to"); None for other errors."""
    if _is_damage(error):
        return StoreError(f"the database file {path} is damaged ({error}): stop the server and restore a backup")
    if isinstance(error, sqlite3.OperationalError):
        return StoreError(f"the database file {path} cannot be {doing}: {error}")
    return None


@contextmanager
def unreadable(path: Path) -> Iterator[None]:
    """Raises StoreError instead of the errors of a file that cannot be read."""
    try:
        yield
    except sqlite3.DatabaseError as error:
        found = store_error(path, "read", error)
        if found is None:
            raise
        raise found from error


def _is_damage(error: BaseException) -> bool:
    return isinstance(error, sqlite3.DatabaseError) and getattr(error, "sqlite_errorcode", 0) & _PRIMARY in _DAMAGED
