"""A backup: one SQLite file with the rows of one moment, whatever the database is, and a file of keys on request.

Written under a draft name, synced, then linked: a file that has its name is whole.
"""

from __future__ import annotations

import asyncio
import os
import sqlite3
import sys
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path
from typing import Final

import msgspec

from grapevine.config.private_files import make_draft, publish
from grapevine.config.secret_keys import existing_keys
from grapevine.config.settings import SQLITE, Settings, database_path, redacted_url
from grapevine.errors import StoreError
from grapevine.store.copy.copier import CopyProgress, copy_store, endpoint
from grapevine.store.factory import schema_version
from grapevine.store.schema_version import refuse_unusable

KEYS_SUFFIX: Final = ".keys"
"""What is added to a backup's name for the file of its keys, which looks like ``secret-keys``."""

NO_SECRET: Final = "its secret is not in the backup"  # noqa: S105  # the reason why an endpoint is disabled

_BUSY_SECONDS: Final = 10.0
_NICENESS: Final = 10
_LEFT_OUT: Final = (
    ("salts", "DELETE FROM salts WHERE kind = 'visitor'"),
    ("sessions", "DELETE FROM sessions"),
    ("kept_answers", "DELETE FROM kept_answers"),
    ("key_processes", "DELETE FROM key_processes"),
    ("leases", "DELETE FROM leases"),
    ("live_batches", "DELETE FROM live_batches"),
    ("live_lanes", "DELETE FROM live_lanes"),
    ("live_watches", "DELETE FROM live_watches"),
    ("readiness", "DELETE FROM readiness"),
)
"""Per table. Salts are destroyed after 48 hours, which a copy of them would undo; the others belong to running servers,
and answers that are kept for repeats may hold secrets.
The nonce key stays: without it what is sent again would count again."""

_WITHOUT_SECRET: Final = """
UPDATE webhooks SET secret = '', disabled_at = coalesce(disabled_at, ?1),
    reason = CASE WHEN disabled_at IS NULL THEN ?2 ELSE reason END
WHERE webhook_id = ?3"""  # noqa: S105  # no password
_GIVEN_UP: Final = """
UPDATE deliveries SET next_at = NULL, failed_at = ?1, error = ?2 WHERE webhook_id = ?3 AND next_at IS NOT NULL"""


class BackupSummary(msgspec.Struct, frozen=True, kw_only=True):
    """What a backup wrote. ``keys`` is the file of the keys; ``endpoints`` are webhook endpoints without a secret."""

    source: str
    file: str
    keys: str | None
    schema: int
    bytes: int
    seconds: float
    endpoints: int


async def back_up(
    settings: Settings,
    file: Path,
    progress: CopyProgress,
    now: int,
    is_sealed: Callable[[str], bool],
    *,
    with_keys: bool = False,
) -> BackupSummary:
    """Writes the database that ``settings`` name into ``file``, and its keys beside it if asked. Servers go on writing.

    ``is_sealed`` says whether a webhook's secret is encrypted under a secret key: without that it is of no use.

    Raises StoreError, also when a file of that name exists; SettingError when there are no keys to write.
    """
    started = time.monotonic()
    keys = existing_keys(settings) if with_keys else ()
    keys_file = file.with_name(file.name + KEYS_SUFFIX)
    for path in (file, keys_file) if with_keys else (file,):
        _refuse_existing(path)
    version = await schema_version(settings)
    name = redacted_url(settings.database)
    if version == 0:
        raise StoreError(f"there is nothing to back up in {name}: it is no store")
    refuse_unusable(name, version)
    drafts: list[Path] = []
    try:
        drafts.append(draft := make_draft(file))
        await _fill(settings, draft, progress, now)
        endpoints = await asyncio.to_thread(_leave_out, draft, now, None if with_keys else is_sealed)
        if with_keys:
            drafts.append(keys_draft := make_draft(keys_file))
            keys_draft.write_bytes(b"".join(key + b"\n" for key in keys))
            publish(keys_draft, keys_file)
        size = draft.stat().st_size
        await asyncio.to_thread(publish, draft, file)
    except FileExistsError as error:
        raise StoreError(f"{error.filename2 or file} was made by another process meanwhile") from error
    except OSError as error:
        raise StoreError(f"the backup {file} cannot be written: {error.strerror}") from error
    finally:
        for path in drafts:
            path.unlink(missing_ok=True)
    return BackupSummary(
        source=name,
        file=str(file),
        keys=str(keys_file) if with_keys else None,
        schema=version,
        bytes=size,
        seconds=round(time.monotonic() - started, 3),
        endpoints=endpoints,
    )


def _refuse_existing(path: Path) -> None:
    if path.exists() or path.is_symlink():
        raise StoreError(f"{path} exists already; a backup overwrites nothing, so name another file")


async def _fill(settings: Settings, draft: Path, progress: CopyProgress, now: int) -> None:
    path = database_path(settings)
    if path is not None:
        await _vacuum_into(path, draft)
        return
    async with endpoint(settings.database) as source, endpoint(_url(draft)) as target:
        done = await copy_store(source, target, progress, now)
    if not done.verified:
        raise StoreError(f"{done.differing} rows of the copy differ from {done.source}: something else wrote to it")


def _url(path: Path) -> str:
    return f"{SQLITE}{path.absolute()}"


async def _vacuum_into(path: Path, draft: Path) -> None:
    """Writes the rows of one moment, and nothing that was deleted, into an empty file. The writer is not blocked."""
    with (
        closing(_opened(path)) as connection,
        ThreadPoolExecutor(1, "grapevine-backup", initializer=_give_way) as thread,
    ):
        loop = asyncio.get_running_loop()
        work = loop.run_in_executor(thread, _execute, connection, path, "VACUUM INTO ?", str(draft))
        try:
            await asyncio.shield(work)
        except asyncio.CancelledError:
            connection.interrupt()
            await asyncio.gather(work, return_exceptions=True)
            raise


def _give_way() -> None:
    """Lets servers on this machine have the processor first. On Linux this holds for the calling thread alone."""
    if sys.platform == "linux":
        os.nice(_NICENESS)


def _opened(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(
        f"{path.absolute().as_uri()}?mode=rw",
        uri=True,
        isolation_level=None,
        check_same_thread=False,
        timeout=_BUSY_SECONDS,
    )


def _execute(connection: sqlite3.Connection, path: Path, text: str, *values: object) -> None:
    try:
        connection.execute(text, values).close()
    except sqlite3.Error as error:
        raise StoreError(f"the database file {path} cannot be backed up: {error}") from error


def _leave_out(draft: Path, now: int, is_sealed: Callable[[str], bool] | None) -> int:
    """Deletes what a backup must not hold, bytes included: with ``is_sealed`` also secrets of webhooks that are not.

    Returns how many endpoints lost their secret.
    """
    with closing(_opened(draft)) as connection:
        for setting in ("secure_delete=ON", "journal_mode=MEMORY", "temp_store=MEMORY"):
            _execute(connection, draft, f"PRAGMA {setting}")
        _execute(connection, draft, "BEGIN IMMEDIATE")
        tables = {name for (name,) in connection.execute("SELECT name FROM sqlite_schema WHERE type = 'table'")}
        for table, text in _LEFT_OUT:
            if table in tables:  # the backup may be of an earlier version
                _execute(connection, draft, text)
        plain = _plain_endpoints(connection, is_sealed) if is_sealed else []
        for webhook_id in plain:
            _execute(connection, draft, _WITHOUT_SECRET, now, NO_SECRET, webhook_id)
            _execute(connection, draft, _GIVEN_UP, now, NO_SECRET, webhook_id)
        _execute(connection, draft, "COMMIT")
    return len(plain)


def _plain_endpoints(connection: sqlite3.Connection, is_sealed: Callable[[str], bool]) -> list[str]:
    """Returns the endpoints whose secret is not encrypted under the server's key: earlier versions stored them so."""
    found = connection.execute("SELECT webhook_id, secret FROM webhooks").fetchall()
    return [webhook_id for webhook_id, secret in found if not is_sealed(secret)]
