"""Whether a database is a copy that was begun and not ended, asked without opening (and so migrating) it.

Such a one has all tables and some of the rows: a server on it would collect into half a store, and hand out links that
the rest of the copy then runs into.
"""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from grapevine.config.settings import Settings, database_path
from grapevine.errors import StoreError
from grapevine.store.copy.progress import NAME, Begun
from grapevine.store.factory import make_store

REMEDY: Final = "run the same grapevine copy again to finish it, or with --restart to begin anew"
_STATE: Final = f"SELECT state FROM {NAME} WHERE name = ''"  # noqa: S608


async def unfinished_copy(settings: Settings) -> str | None:
    """What is being copied into the database, as people call it; None when nothing is, or there is no database.

    One look, which changes nothing. Raises StoreError or SettingError.
    """
    path = database_path(settings)
    if path is not None:
        states = _in_file(path)
    else:
        make_store(settings)  # says which package is missing, if one is
        states = await _in_database(settings.database)
    if states is None:
        return None
    return msgspec.json.decode(states[0], type=Begun).shown if states else "another database"


def _in_file(path: Path) -> list[str] | None:
    if not path.exists():
        return None
    try:
        with closing(sqlite3.connect(path)) as connection:
            if not connection.execute("SELECT 1 FROM sqlite_schema WHERE name = ?", (NAME,)).fetchall():
                return None
            return [state for (state,) in connection.execute(_STATE)]
    except sqlite3.Error as error:
        raise StoreError(f"cannot use the database file {path}: {error}") from None


async def _in_database(url: str) -> list[str] | None:
    from grapevine.store.postgres.errors import map_errors
    from grapevine.store.postgres.snapshot import connected

    with map_errors(url):
        async with connected(url) as connection:
            if await connection.fetchval("SELECT to_regclass($1) IS NULL", NAME):
                return None
            return [state for (state,) in await connection.fetch(_STATE)]
