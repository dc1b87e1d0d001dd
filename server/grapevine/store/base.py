"""The store protocol: what every backend must do, and nothing that names a dialect.

A backend runs named queries (``runner``); everything typed is built on that: ``Batch`` (what the writer changes),
``Reads`` (what chains and statistics read), ``Registry`` (sites, keys, salts), ``Exports``, ``Spikes``, ``Suspects``
and ``Hooks`` (webhooks and the outbox).
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from typing import Protocol

from grapevine.store.readers.exports import Exports
from grapevine.store.readers.reads import Reads
from grapevine.store.repositories.registry import Registry
from grapevine.store.repositories.spikes import Spikes
from grapevine.store.repositories.verdicts import Suspects
from grapevine.store.repositories.webhooks import Hooks
from grapevine.store.write_batch import Batch


class Store(Protocol):
    """One database. Open it before use (which brings its schema up to date), close it at the end.

    ``quick`` are the same questions as ``reads``, for those that touch a handful of rows and many people wait for.
    ``shared`` says that processes on several machines may write at once, so that each needs a slot of its own,
    and ``max_concurrent_batches`` how many batches of one process it takes at once.
    """

    shared: bool
    max_concurrent_batches: int

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
