"""The files of a SQLite database."""

from __future__ import annotations

from pathlib import Path


def database_files(path: Path) -> tuple[Path, ...]:
    """Returns the paths of a database: its file, its write-ahead log, and the index of that in shared memory."""
    return path, path.with_name(f"{path.name}-wal"), path.with_name(f"{path.name}-shm")
