"""The protocols of a backend: it runs queries by name. Readers and repositories are built on that, once for all."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


class Runner(Protocol):
    """Runs queries of ``store/sql`` by name."""

    async def run(
        self, name: str, /, rows: Sequence[Sequence[Any]] | None = None, **params: Any
    ) -> list[tuple[Any, ...]]:
        """Returns the rows of the query ``name``.

        ``rows`` fill its ``rows(…)`` table, in the order of that table's columns; an empty set runs nothing and returns
        no rows. Raises KeyError when no query has that name.
        """
        ...


class Changes(Runner, Protocol):
    """A transaction that is open."""

    async def run_many(self, calls: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> list[list[tuple[Any, ...]]]:
        """Runs queries by name, each with its rows. Returns the rows of each; none sees the changes of the others."""
        ...

    async def run_unless_partial(self, name: str, /, **params: Any) -> list[tuple[Any, ...]] | None:
        """As ``run``, for a query that needs all nodes of a database. Returns None when one of them is away; the
        transaction goes on."""
        ...


class Snapshot(Runner, Protocol):
    """One consistent state of a database, for queries that read all of it. Writers are not blocked."""

    async def faults(self, most: int) -> list[str]:
        """Returns the first ``most`` faults of the database's own structure, as far as they can be found."""
        ...
