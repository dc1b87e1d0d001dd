"""What settings stand for on this machine: the store, and the secret keys that live in a file beside it."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Final

import msgspec

from grapevine.config.settings import SHORTEST_KEY, Settings, database_path
from grapevine.errors import SettingError
from grapevine.store.base import Store
from grapevine.store.query_runner import Snapshot
from grapevine.store.sqlite.snapshot import snapshot as file_snapshot
from grapevine.store.sqlite.store import SQLiteStore
from grapevine.store.sqlite.version import sqlite_version

KEY_FILE: Final = "secret-keys"
"""One key a line, oldest first."""


def make_store(settings: Settings, turn: int | None = None, *, alone: bool = False) -> Store:
    """The store that ``settings`` name, not yet open. ``turn`` is the file of a SQLite store's several writers, one of
    which may be ``alone`` in its process: it does nothing but write batches.

    Raises SettingError when a package is missing for it.
    """
    path = database_path(settings)
    if path is None:
        return _postgres(settings.database)
    return SQLiteStore(path, turn, alone=alone)


async def schema_version(settings: Settings) -> int:
    """Which step of the schema the database has taken; 0 when there is none. Raises StoreError or SettingError."""
    path = database_path(settings)
    if path is not None:
        return sqlite_version(path)
    with _package():
        from grapevine.store.postgres.snapshot import postgres_version
    return await postgres_version(settings.database)


def snapshot(settings: Settings) -> AbstractAsyncContextManager[Snapshot]:
    """One moment of the database, which is neither made nor migrated. Raises StoreError or SettingError."""
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
            f"database: PostgreSQL needs the package {error.name}; run: pip install 'grapevine[postgres]'"
        ) from None


def with_secret_keys(settings: Settings, random_key: Callable[[], str] = secrets.token_urlsafe) -> Settings:
    """``settings`` with secret keys: their own, else those of the key file, which is made when it is not there.

    Raises SettingError when the file cannot be used, or when other users of the machine can read it.
    """
    if settings.secret_keys:
        return settings
    path = key_file(settings)
    if path is None:
        raise SettingError(
            "secret_keys: all processes on one PostgreSQL database sign with the same keys, so they have to be told; "
            "set GRAPEVINE_SECRET_KEYS or GRAPEVINE_SECRET_KEYS_FILE, for instance to what this prints: "
            "openssl rand -hex 32"
        )
    try:
        if not path.exists():
            _make(path, random_key())
        keys = _read(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"secret_keys: the key file {path} cannot be used: {error}") from None
    return msgspec.structs.replace(settings, secret_keys=keys)


def key_file(settings: Settings) -> Path | None:
    """Where the keys are when they are not set: beside a SQLite file; None where there is none."""
    path = database_path(settings)
    return None if path is None else path.with_name(KEY_FILE)


def _read(path: Path) -> tuple[bytes, ...]:
    with path.open("rb") as file:
        if os.name == "posix" and os.fstat(file.fileno()).st_mode & 0o077:
            raise SettingError(f"secret_keys: others can read the key file {path}; run: chmod 600 '{path}'")
        keys = tuple(file.read().split())
    if not keys or any(len(key) < SHORTEST_KEY for key in keys):
        raise SettingError(f"secret_keys: the key file {path} must hold keys of {SHORTEST_KEY} characters, one a line")
    return keys


def _make(path: Path, key: str) -> None:
    """Writes the file whole and to disk before it gets its name; of several starters the first one's key stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)  # O_EXCL, mode 0600
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(f"{key}\n")
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(draft, path)
        except FileExistsError:
            return
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)
    finally:
        Path(draft).unlink()
