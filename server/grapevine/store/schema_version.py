"""The version of the schema that a database has, and which versions are refused."""

from __future__ import annotations

from functools import cache
from typing import Final

from grapevine.errors import StoreError
from grapevine.store import sql_loader

UNFINISHED_COPY: Final = -1
"""Stands in place of the version while ``grapevine copy`` fills a database, and stays when the copy is interrupted."""


@cache
def newest_version() -> int:
    """Returns the version of the schema that this Grapevine works with."""
    return sql_loader.migrations()[-1].number


def refuse_unusable(name: str, version: int) -> None:
    """Raises StoreError when the database ``name``, which has this version, must not be opened."""
    if version == UNFINISHED_COPY:
        raise StoreError(f"{name} is an unfinished copy: run the same grapevine copy again, which starts over")
    if version > newest_version():
        raise StoreError(
            f"{name} has schema {version}, this Grapevine knows {newest_version()}: "
            "it was used by a newer version; run that one, or restore a backup made before"
        )
