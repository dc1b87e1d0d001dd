"""What a copy asks of the database at either end of it."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Protocol

from grapevine.store.copy.schema import Key, Row, Table

PAGE: Final = 5_000
"""How many rows are read, and written in one transaction, at a time."""


class End(Protocol):
    """One database, connected. Everything raises StoreError when it cannot be used.

    ``shown`` names it in errors, ``address`` is its URL without a password, ``identity`` tells it from every other
    one, ``holds_nul`` says whether its text may have U+0000.
    """

    shown: str
    address: str
    identity: str
    holds_nul: bool

    async def claim(self) -> None:
        """Keeps other copies out of it until it is closed."""
        ...

    async def version(self) -> int:
        """Which step of the schema it has taken; 0 when it is empty."""
        ...

    async def make(self) -> None:
        """Gives an empty database the schema; one that holds something else is refused."""
        ...

    async def has_table(self, name: str) -> bool:
        """Whether there is such a table."""
        ...

    async def ask(self, text: str, *values: Any) -> list[Row]:
        """The rows of a statement that both dialects understand, with parameters ``$1``, ``$2`` …"""
        ...

    def still(self) -> AbstractAsyncContextManager[None]:
        """While the block runs, everything is read as of one moment, and nobody else changes a moved table."""
        ...

    def transaction(self) -> AbstractAsyncContextManager[None]:
        """What is done in the block is committed when it ends, and undone when it raises."""
        ...

    def pages(self, table: Table, after: Key | None = None) -> AsyncGenerator[list[Row], None]:
        """The rows behind the key ``after``, in the order of the key, ``PAGE`` at a time. In ``still`` only."""
        ...

    async def insert(self, table: Table, rows: list[Row]) -> None:
        """Adds rows, in a transaction."""
        ...

    async def empty(self, tables: tuple[Table, ...]) -> None:
        """Deletes all rows of these tables, in a transaction."""
        ...

    async def settle(self, tables: tuple[Table, ...]) -> None:
        """What is to be done when tables have been filled, so that their readers are quick."""
        ...
