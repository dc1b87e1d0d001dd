"""What a column of an export holds, whatever the format."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["text", "whole", "number", "yes", "time", "money"]
"""How lines hold it: a text, a whole number, a float, a bool; a ``time`` in UTC milliseconds, ``money`` in millionths.
Every one of them may be None."""

Line = tuple[str | int | float | bool | None, ...]
"""One row of an export, a value for each of its table's columns."""


class Column(NamedTuple):
    """A column by its name outside."""

    name: str
    kind: Kind


def columns(**kinds: Kind) -> tuple[Column, ...]:
    """Columns in the order in which they are named; ``self_`` stands for ``self``."""
    return tuple(Column(name.rstrip("_"), kind) for name, kind in kinds.items())
