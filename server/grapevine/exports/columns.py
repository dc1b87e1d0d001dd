"""The columns of an export and the kinds of their values, whatever the format."""

from __future__ import annotations

from typing import Literal, NamedTuple

Kind = Literal["text", "whole", "number", "yes", "time", "money"]
"""The type of its values: text, a whole number, a float, a bool; a ``time`` in UTC milliseconds, ``money`` in
millionths. Every one of them may be None."""

Line = tuple[str | int | float | bool | None, ...]
"""One row of an export, a value for each of its table's columns."""


class ExportColumn(NamedTuple):
    """A column by the name that users see."""

    name: str
    kind: Kind


def columns(**kinds: Kind) -> tuple[ExportColumn, ...]:
    """Columns in the order in which they are named; ``self_`` stands for ``self``."""
    return tuple(ExportColumn(name.rstrip("_"), kind) for name, kind in kinds.items())
