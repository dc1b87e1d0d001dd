"""The secret keys of an installation: from the settings, else from the key file next to the SQLite file."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final

import msgspec

from grapevine.config.private_files import OTHERS, advice, make_draft, make_folder, publish, replace
from grapevine.config.settings import SHORTEST_KEY, Settings, database_path
from grapevine.errors import SettingError

KEY_FILE: Final = "secret-keys"
"""The key file's name. It holds one key a line, oldest first."""


def with_secret_keys(settings: Settings, random_key: Callable[[], str] = secrets.token_urlsafe) -> Settings:
    """Returns ``settings`` with secret keys: their own, else those of the key file, which is made if it is missing.

    Raises SettingError when the file cannot be used, or when other users of the machine can read it.
    """
    if settings.secret_keys:
        return settings
    path = key_file(settings)
    if path is None:
        raise SettingError(
            "secret_keys: all processes on one PostgreSQL database sign with the same keys, and none are set; "
            "set GRAPEVINE_SECRET_KEYS or GRAPEVINE_SECRET_KEYS_FILE, for instance to what this prints: "
            "openssl rand -hex 32"
        )
    with _usable(path):
        if not path.exists():
            _write(path, [random_key().encode()], publish)
        keys = _read(path)
    return msgspec.structs.replace(settings, secret_keys=keys)


def existing_keys(settings: Settings) -> tuple[bytes, ...]:
    """Returns the secret keys of an installation, none of which is made. Raises SettingError when there are none."""
    path = key_file(settings)
    if not settings.secret_keys and path is not None and not path.exists():
        raise SettingError(f"secret_keys: there are none yet; the first start of the server makes {path}")
    return with_secret_keys(settings).secret_keys


def file_keys(settings: Settings) -> tuple[bytes, ...]:
    """Returns the keys in the key file, oldest first; none where there is no such file. Raises SettingError."""
    path = key_file(settings)
    return () if path is None or not path.exists() else read_file(path)


def read_file(path: Path) -> tuple[bytes, ...]:
    """Returns the keys in the key file, oldest first. Raises SettingError."""
    with _usable(path):
        return _read(path)


def add_to_file(path: Path, key: bytes) -> None:
    """Adds a key to the key file, as the newest one. At every moment the file is whole. Raises SettingError."""
    with _usable(path):
        keys = _read(path)
        for draft in path.parent.glob(f".{path.name}.*.draft"):  # of a process that was killed
            draft.unlink(missing_ok=True)
        _write(path, [*keys, key], replace)


def key_file(settings: Settings) -> Path | None:
    """Returns the key file of a SQLite database; None for PostgreSQL, whose keys have to be set."""
    path = database_path(settings)
    return None if path is None else path.with_name(KEY_FILE)


def _read(path: Path) -> tuple[bytes, ...]:
    with path.open("rb") as file:
        if os.name == "posix" and os.fstat(file.fileno()).st_mode & OTHERS:
            raise SettingError(f"secret_keys: others can read the key file {path}; run: chmod 600 '{path}'")
        keys = tuple(file.read().split())
    if not keys or any(len(key) < SHORTEST_KEY for key in keys):
        raise SettingError(f"secret_keys: the key file {path} must hold keys of {SHORTEST_KEY} characters, one a line")
    return keys


@contextmanager
def _usable(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, UnicodeDecodeError) as error:
        raise SettingError(f"secret_keys: the key file {path} cannot be used: {error}{advice(error)}") from None


def _write(path: Path, keys: Sequence[bytes], put: Callable[[Path, Path], None]) -> None:
    """Writes the key file, whole or not at all, so that no process reads half a key.

    ``publish`` keeps a file that is there: when several processes start at once, the first one's key stays.
    """
    make_folder(path.parent)
    draft = make_draft(path)
    try:
        draft.write_bytes(b"".join(key + b"\n" for key in keys))
        with suppress(FileExistsError):
            put(draft, path)
    finally:
        draft.unlink(missing_ok=True)
