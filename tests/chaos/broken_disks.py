"""Disks that become full or read-only under a running server, and usable again.

A small tmpfs and files made immutable are the real thing, and need rights that not every machine gives; a limit on the
size of files does the same to every write of the server (``pwrite`` fails) and works everywhere.
"""

from __future__ import annotations

import errno
import os
import resource
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Final, NamedTuple

from tests.support.server_process import Installation, ServerProcess

_TMPFS_BYTES: Final = 16 << 20
_ROOM: Final = 128 << 10


class Disk(NamedTuple):
    """A database on a disk, what spoils that disk under a server, and what mends it."""

    installation: Installation
    spoil: Callable[[ServerProcess], None]
    mend: Callable[[ServerProcess], None]


DiskMaker = Callable[[Installation, Path], AbstractContextManager[Disk]]
"""Copies an installation to a disk; the folder is for files outside it."""


@contextmanager
def full(template: Installation, folder: Path) -> Iterator[Disk]:
    """A file system that another process fills and empties again."""
    with mounted(folder / "disk") as disk:
        ballast = disk / "ballast"
        installation = _copied(template, disk / "data", folder)
        yield Disk(installation, lambda _: fill(ballast, _ROOM), lambda _: ballast.unlink())


@contextmanager
def limited(template: Installation, folder: Path) -> Iterator[Disk]:
    """The log may grow a little more, then no further, and no larger file either."""
    installation = _copied(template, folder / "data", folder)

    def bound(server: ServerProcess) -> None:
        log = installation.database.with_name(f"{installation.database.name}-wal")
        server.limit(resource.RLIMIT_FSIZE, log.stat().st_size + _ROOM)

    yield Disk(installation, bound, _unlimited)


@contextmanager
def unwritable(template: Installation, folder: Path) -> Iterator[Disk]:
    """No file takes another byte, as when the system has made a failing disk read-only."""
    installation = _copied(template, folder / "data", folder)
    yield Disk(installation, lambda server: server.limit(resource.RLIMIT_FSIZE, 0), _unlimited)


@contextmanager
def immutable(template: Installation, folder: Path) -> Iterator[Disk]:
    """The files themselves become read-only, also for processes that have them open.

    Not the -shm file: SQLite has it in memory as a mapping, and the kernel kills a process that writes to it.
    """
    installation = _copied(template, folder / "data", folder)

    def change(flag: str) -> None:
        for file in installation.folder.iterdir():
            if not file.name.endswith("-shm"):
                _run("chattr", flag, file)

    try:
        yield Disk(installation, lambda _: change("+i"), lambda _: change("-i"))
    finally:
        change("-i")


@contextmanager
def mounted(folder: Path) -> Iterator[Path]:
    """A small file system of its own at ``folder``. Raises CalledProcessError where that is not allowed."""
    folder.mkdir()
    _run("mount", "-t", "tmpfs", "-o", f"size={_TMPFS_BYTES}", "tmpfs", folder)
    try:
        yield folder
    finally:
        _run("umount", folder)


def fill(ballast: Path, room: int = 0) -> None:
    """Writes a file that leaves no more than ``room`` bytes on its file system; others may write meanwhile."""
    usage = os.statvfs(ballast.parent)
    try:
        ballast.write_bytes(bytes(usage.f_bavail * usage.f_frsize - room))
    except OSError as error:
        if error.errno != errno.ENOSPC:  # then they took the room, and it is full already
            raise


@contextmanager
def read_only(folder: Path) -> Iterator[None]:
    """What is mounted at ``folder`` is read-only during the block."""
    _run("mount", "-o", "remount,ro", folder)
    try:
        yield
    finally:
        _run("mount", "-o", "remount,rw", folder)


def can_mount() -> bool:
    """Whether this process may mount file systems."""
    with tempfile.TemporaryDirectory() as folder:
        try:
            with mounted(Path(folder, "disk")):
                return True
        except (OSError, subprocess.CalledProcessError):
            return False


def can_make_immutable() -> bool:
    """Whether this process may make files immutable, and open ones cannot be written to then."""
    with tempfile.TemporaryDirectory() as folder, Path(folder, "file").open("wb", buffering=0) as file:
        try:
            _run("chattr", "+i", file.name)
        except (OSError, subprocess.CalledProcessError):
            return False
        try:
            file.write(b"x")
        except OSError:
            return True
        else:
            return False
        finally:
            _run("chattr", "-i", file.name)


def _copied(template: Installation, data: Path, logs: Path) -> Installation:
    return Installation(Path(shutil.copytree(template.folder, data)), logs, template.site, template.key)


def _unlimited(server: ServerProcess) -> None:
    if server.runs:
        server.limit(resource.RLIMIT_FSIZE, resource.RLIM_INFINITY)


def _run(*command: str | Path) -> None:
    subprocess.run(command, check=True, capture_output=True)  # noqa: S603
