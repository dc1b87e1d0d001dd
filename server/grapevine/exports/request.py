"""What an export is asked for, and what a table of an export is."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final, NamedTuple, TypeVar

from grapevine.exports.columns import ExportColumn, Line
from grapevine.sites.cache import Site
from grapevine.store.base import Store
from grapevine.store.readers.exports import MAX_BATCH, ExportRange

SLICE: Final = 250
"""Lines made without a pause: they block the event loop for some two milliseconds."""

_Any = TypeVar("_Any")


@dataclass(frozen=True)
class ExportRequest:
    """The scope of an export: store, site, range of rows, and rows a query."""

    store: Store
    site: Site
    range: ExportRange
    batch_size: int = MAX_BATCH


Lines = AsyncGenerator[list[Line], None]


class ExportTable(NamedTuple):
    """A table as users see it: its columns, and its lines, at most ``SLICE`` at a time."""

    columns: tuple[ExportColumn, ...]
    lines: Callable[[ExportRequest], Lines]


def sliced(rows: Sequence[_Any]) -> Iterable[Sequence[_Any]]:
    """Yields rows, at most ``SLICE`` at a time."""
    return (rows[start : start + SLICE] for start in range(0, len(rows), SLICE))
