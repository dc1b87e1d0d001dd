"""The interface of a copy to the database at either end of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

from grapevine.store.copy.schema import CopiedTable, Row

PAGE: Final = 5_000
"""How many rows are read and written at a time."""


class CopyEndpoint(Protocol):
    """One database. Every method raises StoreError when the database cannot be used.

    ``name`` names it in messages, ``address`` is its URL without a password, and ``identity`` is equal for two URLs of
    one database. ``holds_nul`` is true when its text may contain U+0000, ``consistent`` when a snapshot shows one
    moment of all tables while servers write.
    """

    name: str
    address: str
    identity: str
    holds_nul: bool
    consistent: bool

    async def version(self) -> int:
        """Returns the version of its schema; 0 when it has none."""
        ...

    async def set_version(self, version: int) -> None:
        """Changes that version, in a transaction."""
        ...

    async def create_schema(self) -> None:
        """Creates all tables, in a transaction. Refuses a database that holds something else."""
        ...

    async def query(self, text: str, *values: Any) -> list[Row]:
        """Runs a statement that both dialects understand, with parameters ``$1``, ``$2`` …; returns its rows."""
        ...

    def snapshot(self) -> AbstractAsyncContextManager[None]:
        """Within the block everything is read as of one moment; others may write meanwhile. For the source."""
        ...

    async def lock(self) -> None:
        """Keeps other copies out until the endpoint is closed. For the target, before anything but ``version``."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """Commits the block's changes; rolls them back when the block raises."""
        ...

    def pages(self, table: CopiedTable) -> AsyncGenerator[list[Row], None]:
        """Yields all rows in the order of their key, ``PAGE`` at a time. In a snapshot or a transaction."""
        ...

    async def insert(self, table: CopiedTable, rows: list[Row]) -> None:
        """Adds rows, in a transaction."""
        ...

    async def empty(self, tables: tuple[CopiedTable, ...]) -> None:
        """Deletes all rows of these tables, in a transaction."""
        ...

    async def analyze(self, tables: tuple[CopiedTable, ...]) -> None:
        """Collects the statistics that the query planner needs after so many inserts."""
        ...
