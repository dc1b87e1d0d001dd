"""Copies of a store with recorded progress, and databases whose tables hold random rows."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from itertools import count
from typing import Any, Final

import pytest

from grapevine.errors import GrapevineError
from grapevine.store.copy.copier import CopySummary, Phase, copy_store, endpoint
from grapevine.store.copy.schema import APART, CopiedTable, all_tables
from tests.store.databases import Database, Databases, Plant, SQLiteFile

NOW: Final = 1_790_000_000_000
WORLDS: Final = (Plant(1), Plant(1, site_id=8))
TEXTS: Final = ("", "a", "B", "b", "ä", "Ω", "z\u0301", "𝄞", "a b", "a'b\"", "\n", "\uffff", "~", "é" * 300)


class RecordedProgress:
    """Records the progress of a copy, and calls ``each`` after each page."""

    def __init__(self, each: Callable[[int], None] = lambda _: None) -> None:
        self.heard: list[tuple[Phase, str]] = []
        self.rows = 0
        self._phase: Phase = "copy"
        self._each = each

    def phase(self, name: Phase, rows: int) -> None:
        assert rows >= 0
        self._phase = name

    def table(self, name: str, rows: int) -> None:
        assert rows >= 0
        self.heard.append((self._phase, name))

    def advance(self, rows: int) -> None:
        if rows:
            self.rows += rows
            self._each(self.rows)


async def copied(source: str, target: str, watched: RecordedProgress | None = None) -> CopySummary:
    async with endpoint(source) as one, endpoint(target) as other:
        return await copy_store(one, other, watched or RecordedProgress(), NOW)


@asynccontextmanager
async def pair(ways: tuple[Databases, Databases], *plants: Plant) -> AsyncIterator[tuple[Database, Database]]:
    """A source that holds worlds, and an empty target."""
    async with ways[0].holding(*plants) as source, ways[1].holding() as target:
        yield source, target


async def contents(database: Database, table: CopiedTable) -> list[tuple[Any, ...]]:
    names = ", ".join(f'"{name}"' for name in table.names)
    return sorted(await database.rows(f"SELECT {names} FROM {table.name}"), key=repr)


async def everything(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    return {table.name: await contents(database, table) for table in all_tables() if table.name not in APART}


def strewn(table: CopiedTable, optional: set[str], chance: random.Random, size: int) -> Iterator[tuple[Any, ...]]:
    """Rows of random values, the largest and smallest among them, each with a key and unique values of its own."""
    bits = {"SMALLINT": 15, "INTEGER": 31, "BIGINT": 63}
    seen: set[Any] = set()
    for number in count():
        row: list[Any] = []
        for name, kind in table.columns:
            if name in optional and chance.random() < 0.3:
                row.append(None)
            elif kind == "TEXT":
                row.append(f"{chance.choice(TEXTS)}{number}{chance.choice(TEXTS)}")
            elif kind == "DOUBLE PRECISION":
                row.append(chance.choice((0.1, -1e308, 5e-324, chance.random(), float("inf"))))
            else:
                bound = 1 << bits[kind]
                small = chance.randint(-3, 3)
                row.append(chance.choice((-bound + (name == "next_view"), bound - 1, small, chance.randrange(bound))))
        if table.key_of(tuple(row)) not in seen:
            seen.add(table.key_of(tuple(row)))
            yield tuple(row)
        if len(seen) == size:
            return


async def strew(database: Database, seed: int, size: int = 70) -> None:
    """Fills every table with rows that mean nothing."""
    for table in all_tables():
        if isinstance(database, SQLiteFile):
            found = await database.rows(f"SELECT name FROM pragma_table_xinfo('{table.name}') WHERE NOT \"notnull\"")
        else:
            found = await database.rows(
                "SELECT column_name FROM information_schema.columns WHERE is_nullable = 'YES' AND table_name = ?",
                table.name,
            )
        if table.name not in APART:
            await database.insert(table.name, strewn(table, {name for (name,) in found}, random.Random(seed), size))  # noqa: S311


async def opens(database: Database) -> None:
    """Checks that the copy opens as a usual store."""
    store = database.store()
    await store.open()
    try:
        assert await store.writable()
    finally:
        await store.close()


async def refused(source: str, target: str, watched: RecordedProgress | None = None) -> str:
    with pytest.raises(GrapevineError) as caught:
        await copied(source, target, watched)
    return str(caught.value)
