"""What settings stand for on this machine: the store, and the secret keys that live in a file beside it."""

from __future__ import annotations

import os
import secrets
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Final

import msgspec

from grapevine.errors import SettingError
from grapevine.settings import SHORTEST_KEY, Settings, database_path
from grapevine.store.base import Store
from grapevine.store.sqlite import SQLiteStore

KEY_FILE: Final = "secret-keys"
"""One key a line, oldest first."""


def make_store(settings: Settings) -> Store:
    """The store that ``settings`` name, not yet open."""
    return SQLiteStore(database_path(settings))


def with_secret_keys(settings: Settings, random_key: Callable[[], str] = secrets.token_urlsafe) -> Settings:
    """``settings`` with secret keys: their own, else those of the key file, which is made when it is not there.

    Raises SettingError when the file cannot be used, or when other users of the machine can read it.
    """
    if settings.secret_keys:
        return settings
    path = database_path(settings).with_name(KEY_FILE)
    try:
        if not path.exists():
            _make(path, random_key())
        keys = _read(path)
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"secret_keys: the key file {path} cannot be used: {error}") from None
    return msgspec.structs.replace(settings, secret_keys=keys)


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
