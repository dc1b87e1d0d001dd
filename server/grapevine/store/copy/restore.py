"""Restores a backup into an empty database: a file of an earlier version is brought up to date first, in a copy."""

from __future__ import annotations

import asyncio
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from grapevine.config.private_files import make_draft, publish
from grapevine.config.secret_keys import key_file
from grapevine.config.settings import SQLITE, Settings
from grapevine.errors import StoreError
from grapevine.store.copy.backup import KEYS_SUFFIX
from grapevine.store.copy.copier import CopyProgress, CopySummary, copy_store, endpoint
from grapevine.store.schema_version import newest_version, refuse_unusable
from grapevine.store.sqlite.store import SQLiteStore
from grapevine.store.sqlite.version import sqlite_version


async def restore(settings: Settings, file: Path, progress: CopyProgress, now: int) -> CopySummary:
    """Copies the rows of a backup into the database that ``settings`` name, and compares every row.

    An interrupted restore leaves a database that no server opens; the same again starts over. Raises StoreError when
    the file is no backup of this version or an earlier one, or the database holds something already.
    """
    version = _usable_version(file)
    async with (
        _up_to_date(file, version) as newest,
        endpoint(f"{SQLITE}{newest.absolute()}") as source,
        endpoint(settings.database) as target,
    ):
        done = await copy_store(source, target, progress, now)
    if not done.verified:
        raise StoreError(f"{done.differing} rows of {done.target} differ from the backup: something else wrote to it")
    return done


def _usable_version(file: Path) -> int:
    if not file.exists():
        raise StoreError(f"there is no backup {file}")
    version = sqlite_version(file)
    if version == 0:
        raise StoreError(f"{file} is no backup of Grapevine")
    refuse_unusable(str(file), version)
    return version


def restore_keys(settings: Settings, file: Path) -> Path | None:
    """Puts the keys of a backup, if it has any, where a server on a SQLite file looks for them, if nothing is there.

    Returns the file that was made. Raises StoreError.
    """
    keys, target = file.with_name(file.name + KEYS_SUFFIX), key_file(settings)
    if settings.secret_keys or target is None or target.exists() or not keys.exists():
        return None
    try:
        draft = make_draft(target)
        try:
            draft.write_bytes(keys.read_bytes())
            publish(draft, target)
        finally:
            draft.unlink(missing_ok=True)
    except OSError as error:
        raise StoreError(f"the keys in {keys} cannot be put into {target}: {error.strerror}") from error
    return target


@asynccontextmanager
async def _up_to_date(file: Path, version: int) -> AsyncIterator[Path]:
    if version == newest_version():
        yield file
        return
    with tempfile.TemporaryDirectory(prefix="grapevine-restore-") as folder:  # mode 0700
        copy = Path(folder, "backup.sqlite3")
        await asyncio.to_thread(shutil.copyfile, file, copy)
        store = SQLiteStore(copy)
        await store.open()
        await store.close()
        yield copy
