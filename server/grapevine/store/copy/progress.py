"""How far a copy has come: a table in the target, there from the copy's first transaction to its last.

Each page's rows are committed together with the key of the last of them, so that whenever the copy is killed, the two
agree. A database with this table is an unfinished copy; one without it belongs to somebody.
"""

from __future__ import annotations

from typing import Final

import msgspec

from grapevine.store.copy.endpoint import End
from grapevine.store.copy.schema import Key, Row, Table

NAME: Final = "unfinished_copy"
_WHOLE: Final = ""


class Begun(msgspec.Struct, frozen=True):
    """What is being copied: the source's ``identity`` and how people call it, and the schema of both."""

    identity: str
    shown: str
    schema: int


class Place(msgspec.Struct, frozen=True):
    """How far one table has come: the key of its last row, how many rows there are, whether these are all."""

    after: tuple[int | str, ...] | None = None
    rows: int = 0
    done: bool = False


class Remembered:
    """The table in ``target``. What changes it is called in a transaction."""

    def __init__(self, target: End) -> None:
        self._target = target

    async def begun(self) -> Begun | None:
        """What is being copied into the target; None when nothing is."""
        if not await self._target.has_table(NAME):
            return None
        found = await self._target.ask(f"SELECT state FROM {NAME} WHERE name = $1", _WHOLE)  # noqa: S608
        return msgspec.json.decode(found[0][0], type=Begun) if found else None

    async def begin(self, what: Begun) -> None:
        """Marks the target as an unfinished copy, of which nothing is there yet."""
        await self._target.ask(f"DROP TABLE IF EXISTS {NAME}")
        await self._target.ask(f"CREATE TABLE {NAME} (name TEXT NOT NULL, state TEXT NOT NULL, PRIMARY KEY (name))")
        await self._put(_WHOLE, what)

    async def places(self) -> dict[str, Place]:
        """How far each table has come that was begun."""
        found = await self._target.ask(f"SELECT name, state FROM {NAME} WHERE name <> $1", _WHOLE)  # noqa: S608
        return {name: msgspec.json.decode(state, type=Place) for name, state in found}

    async def put(self, table: Table, place: Place) -> None:
        """Remembers how far ``table`` has come."""
        await self._put(table.name, place)

    async def end(self) -> None:
        """The copy is whole: the target is a store like any other."""
        await self._target.ask(f"DROP TABLE {NAME}")

    async def _put(self, name: str, state: msgspec.Struct) -> None:
        text = msgspec.json.encode(state).decode()
        await self._target.ask(
            f"INSERT INTO {NAME} (name, state) VALUES ($1, $2) "  # noqa: S608
            "ON CONFLICT (name) DO UPDATE SET state = excluded.state", name, text,
        )  # fmt: skip


def moved_on(place: Place, table: Table, rows: list[Row]) -> Place:
    """``place`` behind these rows."""
    after: Key = table.key_of(rows[-1])
    return Place(after, place.rows + len(rows))
