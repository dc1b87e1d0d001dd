"""Compares two streams of rows that are ordered by their key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from typing import Final, Literal

import msgspec

from grapevine.store.copy.schema import CopiedTable, Key, Row

SHOWN: Final = 10
"""How many differences of a table are listed one by one."""


class Difference(msgspec.Struct, frozen=True):
    """A row that is not the same at both ends. ``columns`` are those that differ; values are left out, as they may be
    secrets, or what visitors wrote."""

    table: str
    where: str
    what: Literal["missing", "extra", "different"]
    columns: tuple[str, ...] = ()

    def __str__(self) -> str:
        if self.what == "different":
            return f"{self.where}: not the same {', '.join(self.columns)}"
        return f"{self.where}: {'not in the target' if self.what == 'missing' else 'in the target alone'}"


class TableComparison(msgspec.Struct, frozen=True):
    """How many rows of a table differ, and the first of them."""

    differing: int
    differences: list[Difference]


async def compare(
    table: CopiedTable,
    source: AsyncIterator[list[Row]],
    target: AsyncIterator[list[Row]],
    advance: Callable[[int], None],
) -> TableComparison:
    """Compares every value of every row; holds a page of each side. Calls ``advance`` with the rows of each page."""
    differing = 0
    found: list[Difference] = []
    ours: list[Row] = []
    theirs: list[Row] = []
    while True:
        ours = ours or await anext(source, [])
        theirs = theirs or await anext(target, [])
        if not ours and not theirs:
            return TableComparison(differing, found)
        if ours == theirs:  # nearly always
            advance(len(ours))
            ours, theirs = [], []
            continue
        ends = [table.key_of(side[-1]) for side in (ours, theirs) if side]
        our_head, ours = _split(table, ours, min(ends))
        their_head, theirs = _split(table, theirs, min(ends))
        advance(len(our_head))
        for key in sorted(our_head.keys() | their_head.keys()):
            one, other = our_head.get(key), their_head.get(key)
            if one != other:
                differing += 1
                if len(found) < SHOWN:
                    found.append(_difference(table, key, one, other))


def _split(table: CopiedTable, rows: list[Row], last: Key) -> tuple[dict[Key, Row], list[Row]]:
    """Returns the rows up to ``last`` by their key, and those after it."""
    head = {key: row for row in rows if (key := table.key_of(row)) <= last}
    return head, rows[len(head) :]


def _difference(table: CopiedTable, key: Key, one: Row | None, other: Row | None) -> Difference:
    if one is None or other is None:
        return Difference(table.name, table.describe(key), "extra" if one is None else "missing")
    columns = tuple(name for name, mine, its in zip(table.names, one, other, strict=True) if mine != its)
    return Difference(table.name, table.describe(key), "different", columns)
