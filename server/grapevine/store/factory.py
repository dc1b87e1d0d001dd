"""Makes the store, and the snapshot, of the database that the settings name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import AbstractAsyncContextManager, contextmanager

from grapevine.config.settings import Settings, database_path
from grapevine.errors import SettingError
from grapevine.store.base import Store
from grapevine.store.query_runner import Snapshot
from grapevine.store.sqlite.snapshot import snapshot as file_snapshot
from grapevine.store.sqlite.store import SQLiteStore
from grapevine.store.sqlite.version import sqlite_version


def make_store(settings: Settings) -> Store:
    """Returns the store that ``settings`` name, not yet open. Raises SettingError when its package is not installed."""
    path = database_path(settings)
    return _postgres(settings.database) if path is None else SQLiteStore(path)


async def schema_version(settings: Settings) -> int:
    """Returns the number of the database's last migration; 0 without one. Raises StoreError or SettingError."""
    path = database_path(settings)
    if path is not None:
        return sqlite_version(path)
    with _package():
        from grapevine.store.postgres.snapshot import postgres_version
    return await postgres_version(settings.database)


def snapshot(settings: Settings) -> AbstractAsyncContextManager[Snapshot]:
    """Opens a snapshot of the database, which is neither made nor migrated. Raises StoreError or SettingError."""
    path = database_path(settings)
    if path is not None:
        return file_snapshot(path)
    with _package():
        from grapevine.store.postgres.snapshot import snapshot as postgres_snapshot
    return postgres_snapshot(settings.database)


def _postgres(url: str) -> Store:
    with _package():
        from grapevine.store.postgres.store import PostgresStore
    return PostgresStore(url)


@contextmanager
def _package() -> Iterator[None]:
    try:
        yield
    except ModuleNotFoundError as error:
        raise SettingError(
            f"database: PostgreSQL needs the package {error.name}; run: pip install 'grapevine-share[postgres]'"
        ) from None
