"""Tables on a terminal of any width: nothing in them is ever cut, least of all a key."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from rich.table import Table
from rich.text import Text

from grapevine.cli.context import CommandContext

_GAP: Final = 2
_UNBOUNDED: Final = 100_000


def show_table(context: CommandContext, *headers: str, rows: Sequence[tuple[str, ...]]) -> None:
    """Prints rows as a table where all of it fits side by side, else each row as a block of lines.

    Lines of a block are not folded, so that what a terminal wraps can still be copied as it is.
    """
    table = Table(*headers, box=None, pad_edge=False, header_style="bold", padding=(0, _GAP, 0, 0))
    for row in rows:
        table.add_row(*(Text(value) for value in row))
    out = context.out
    if out.measure(table, options=out.options.update(width=_UNBOUNDED)).maximum <= out.width:
        out.print(table)
        return
    longest = max(map(len, headers))
    for number, row in enumerate(rows):
        if number:
            context.say()
        for header, value in zip(headers, row, strict=True):
            for index, line in enumerate(value.split("\n") if value else ()):
                context.say(f"{header if index == 0 else '':{longest}}  {line}".rstrip())
