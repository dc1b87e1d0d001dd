"""The store protocol: what every backend must do, and nothing that names a dialect.

A backend runs named queries (``Runner``); everything typed is built on that once, for all backends: ``Batch`` (what the
writer changes), ``Reads`` (what chains and statistics read), ``Registry`` (sites, keys, salts), ``Spikes`` and
``Hooks`` (webhooks and the outbox).
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from grapevine.store.batch import Batch
    from grapevine.store.exporting import Exports
    from grapevine.store.hooks import Hooks
    from grapevine.store.reads import Reads
    from grapevine.store.registry import Registry
    from grapevine.store.spikes import Spikes
    from grapevine.store.verdicts import Suspects


class Runner(Protocol):
    """Runs queries of ``store/sql`` by name."""

    async def run(
        self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        """The rows that the query answers with, or an empty list.

        ``rows`` fill its ``rows(…)`` table, in the order of that table's columns; an empty set runs nothing and answers
        with nothing. Raises KeyError when no query has that name.
        """
        ...


class Changes(Runner, Protocol):
    """A transaction that is open."""

    async def run_together(self, calls: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> list[tuple[Any, ...]]:
        """Runs changes by name, each with its rows, that do not see what the others do; answers as the last does."""
        ...


class Snapshot(Runner, Protocol):
    """One moment of a database, for questions that read all of it; who writes goes on writing."""

    async def faults(self, most: int) -> list[str]:
        """What is wrong with the database's own structure, the first ``most`` of it, as far as it can be asked."""
        ...


class Store(Protocol):
    """One database. Open it before use (which brings its schema up to date), close it at the end.

    ``quick`` are the same questions as ``reads``, for those that touch a handful of rows and many people wait for.
    ``shared`` says that processes on several machines may write at once, so that each needs a slot of its own,
    and ``lanes`` how many batches of one process it takes at once.
    """

    shared: bool
    lanes: int

    reads: Reads
    quick: Reads
    suspects: Suspects
    exports: Exports
    registry: Registry
    hooks: Hooks
    spikes: Spikes

    async def open(self) -> None:
        """Connects and migrates. Raises StoreError with the reason when the database cannot be used."""
        ...

    async def close(self) -> None:
        """Closes every connection; a store that is not open stays as it is."""
        ...

    def batch(self) -> AbstractAsyncContextManager[Batch]:
        """One transaction: committed durably when the block ends, rolled back when it raises."""
        ...

    async def writable(self) -> bool:
        """Whether a write would succeed now."""
        ...
