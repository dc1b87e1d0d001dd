"""Files and folders that no other user of the machine can read, regardless of the umask."""

from __future__ import annotations

import errno
import logging
import os
import stat
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import Final

FOLDER_MODE: Final = 0o700
FILE_MODE: Final = 0o600
OTHERS: Final = 0o077
"""The permissions of group and others: none of them is wanted."""

_NO_LINKS: Final = frozenset({errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOSYS, errno.EMLINK})
"""Errors of file systems without hard links, such as those of USB sticks and network shares."""

_NOT_ALLOWED: Final = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR})

log = logging.getLogger(__name__)


def make_folder(folder: Path) -> None:
    """Makes a folder and its missing parents, each with mode 0700; one that exists stays as it is. Raises OSError."""
    if folder.exists():
        return
    make_folder(folder.parent)
    folder.mkdir(FOLDER_MODE, exist_ok=True)


def make_file(path: Path) -> None:
    """Makes an empty file with mode 0600; one that exists stays as it is. Raises OSError."""
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, FILE_MODE))


def advice(error: BaseException) -> str:
    """Returns what to do, to follow the refusal of a file, where this user may not use the file or its folder."""
    refused = isinstance(error, OSError) and error.errno in _NOT_ALLOWED
    if refused or getattr(error, "sqlite_errorname", "").startswith(("SQLITE_READONLY", "SQLITE_CANTOPEN")):
        return (
            "; run this as the user who runs the server, or set GRAPEVINE_DATABASE to a file in a folder that this "
            "user may write to"
        )
    return ""


def make_draft(path: Path) -> Path:
    """Makes an empty file with mode 0600 in the folder of ``path``, under a name of its own. Raises OSError."""
    descriptor, draft = tempfile.mkstemp(prefix=f".{path.name}.", suffix=".draft", dir=path.parent)
    os.close(descriptor)
    return Path(draft)


def publish(draft: Path, path: Path) -> None:
    """Syncs a draft and gives it its name, so that a file of that name is always whole, after a crash too.

    Raises FileExistsError when there is a file of that name, and OSError.
    """
    _sync(draft)
    try:
        os.link(draft, path)
        draft.unlink()
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        if path.exists():
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), draft, None, path) from None
        draft.rename(path)
    _sync(path.parent)


def replace(draft: Path, path: Path) -> None:
    """Syncs a draft and puts it in the place of a file, so that a file of that name is always whole. Raises OSError."""
    _sync(draft)
    draft.replace(path)
    _sync(path.parent)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def tighten(path: Path) -> None:
    """Takes the permissions of group and others from a file, if there is one; logs that, also where it fails.

    A file that its owner made read-only stays as it is: it must not become writable, and cannot be served.
    """
    mode = open_to_others(path)
    if mode is None or not mode & stat.S_IWUSR:
        return
    try:
        path.chmod(FILE_MODE)
    except OSError as error:
        log.warning("other users of this machine may use %s (mode %o): %s", path, mode, error.strerror)
    else:
        log.warning("other users of this machine could use %s (mode %o); its mode is 600 now", path, mode)


def open_to_others(path: Path) -> int | None:
    """Returns the mode of a file or folder that group or others may use; None when they may not, or it is missing."""
    try:
        mode = stat.S_IMODE(path.stat().st_mode)
    except OSError:
        return None
    return mode if os.name == "posix" and mode & OTHERS else None
