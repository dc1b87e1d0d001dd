"""What a backend has to be able to do: run queries by name. Everything typed is built on that, once for all of them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol


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

    async def run_many(self, calls: Sequence[tuple[str, Sequence[Sequence[Any]]]]) -> list[list[tuple[Any, ...]]]:
        """Runs queries by name, each with its rows, that do not see what the others change; answers as each does."""
        ...

    async def run_unless_partial(self, name: str, /, **params: Any) -> list[tuple[Any, ...]] | None:
        """As ``run``, of a question that is asked of all parts of a database; None where one of them is away, and the
        transaction goes on."""
        ...


class Snapshot(Runner, Protocol):
    """One moment of a database, for questions that read all of it; who writes goes on writing."""

    async def faults(self, most: int) -> list[str]:
        """What is wrong with the database's own structure, the first ``most`` of it, as far as it can be asked."""
        ...
