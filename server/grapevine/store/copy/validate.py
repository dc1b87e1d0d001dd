"""Checks values against the declared types of their columns, which SQLite does not enforce and PostgreSQL does."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from types import NoneType
from typing import Any, Final

from grapevine.errors import StoreError
from grapevine.store.copy.schema import CopiedColumn, CopiedTable, Kind, Row

_BITS: Final[dict[Kind, int]] = {"SMALLINT": 15, "INTEGER": 31, "BIGINT": 63}
_TYPES: Final[dict[Kind, type]] = {**dict.fromkeys(_BITS, int), "TEXT": str, "DOUBLE PRECISION": float}


def check(table: CopiedTable, rows: Sequence[Row], *, nul: bool) -> None:
    """Raises StoreError for the first row with a value that cannot be copied; ``nul`` allows U+0000 in text."""
    for column, values in zip(table.columns, zip(*rows, strict=True), strict=False):
        if not _are_valid(column.kind, values, nul):
            _refuse(table, column, rows, nul)


def _are_valid(kind: Kind, values: Iterable[Any], nul: bool) -> bool:
    """Checks a whole column at once, which is quicker than one value at a time."""
    wanted = _TYPES[kind]
    if not set(map(type, values)) <= {wanted, NoneType}:
        return False
    present = [value for value in values if value is not None]
    if not present:
        return True
    if wanted is int:
        bound = 1 << _BITS[kind]
        return bool(-bound <= min(present) and max(present) < bound)
    if wanted is float:
        return not any(map(math.isnan, present))
    return _is_text("".join(present), nul)


def _is_text(text: str, nul: bool) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:  # bytes that are not UTF-8 were read as surrogates
        return False
    return nul or "\0" not in text


def _refuse(table: CopiedTable, column: CopiedColumn, rows: Sequence[Row], nul: bool) -> None:
    index = table.columns.index(column)
    row = next(row for row in rows if not _are_valid(column.kind, (row[index],), nul))
    key = tuple(value if isinstance(value, (int, str)) else "?" for value in table.key_of(row))
    raise StoreError(
        f"{table.describe(key)}: the column {column.name} holds {_fault(column.kind, row[index])}; "
        "set it right at the source and run the same again"
    )


def _fault(kind: Kind, value: Any) -> str:
    if not isinstance(value, _TYPES[kind]):
        shown = {int: "a whole number", float: "a number with a fraction", str: "text", bytes: "bytes"}
        return f"{shown.get(type(value), type(value).__name__)} where {kind} is declared"
    if isinstance(value, str):
        return "text with U+0000, which PostgreSQL cannot store" if "\0" in value else "text that is no UTF-8"
    return "a number that is none (NaN)" if isinstance(value, float) else f"a number that is too large for {kind}"
