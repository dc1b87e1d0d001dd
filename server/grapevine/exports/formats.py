"""The formats that need no package: NDJSON, and CSV after RFC 4180 for spreadsheets."""

from __future__ import annotations

import csv
import re
from codecs import BOM_UTF8
from collections.abc import Callable, Sequence
from io import StringIO
from typing import Any, Final, Protocol

import msgspec

from grapevine.domain import money
from grapevine.domain.periods import rfc3339
from grapevine.domain.printable import printable_json, printable_lines
from grapevine.exports.columns import ExportColumn, Line

_SIGNS: Final = (
    "=+@\\-"
    "\N{FULLWIDTH EQUALS SIGN}\N{FULLWIDTH PLUS SIGN}\N{FULLWIDTH HYPHEN-MINUS}\N{FULLWIDTH COMMERCIAL AT}"
    "\N{SMALL EQUALS SIGN}\N{SMALL PLUS SIGN}\N{SMALL HYPHEN-MINUS}\N{SMALL COMMERCIAL AT}\N{MINUS SIGN}"
)
"""Signs with which a formula of a spreadsheet may begin, also as East Asian input methods write them (OWASP, CSV
Injection)."""
_FORMULA: Final = re.compile(f"[\\t\\r\\n]|\\s*[{_SIGNS}]")
# A spreadsheet whose list separator is the semicolon knows no quotes that begin within a cell: there a semicolon, and
# the end of a line, begin another cell.
_FORMULA_IN_NEXT_CELL: Final = re.compile(f'(?<=[;\\n])(?=[\\s"]*[{_SIGNS}])')


class Encoder(Protocol):
    """Makes one file out of lines, a piece at a time."""

    async def add(self, lines: Sequence[Line]) -> bytes:
        """Adds lines. Returns the next bytes of the file, which may be none yet."""
        ...

    async def end(self) -> bytes:
        """Returns the rest of the file."""
        ...


class Ndjson:
    """A JSON object a line; every column is in each of them."""

    def __init__(self, columns: Sequence[ExportColumn]) -> None:
        self._names = [column.name for column in columns]
        self._convert = _converter(columns, {})
        self._encoder = msgspec.json.Encoder()

    async def add(self, lines: Sequence[Line]) -> bytes:
        encoded = self._encoder.encode_lines(
            [dict(zip(self._names, self._convert(line), strict=True)) for line in lines]
        )
        return printable_json(encoded)

    async def end(self) -> bytes:
        return b""


class Csv:
    """Comma-separated values with a header, CRLF at the ends of lines, in UTF-8; an unknown value is empty.

    With ``bom`` a byte order mark is in front, without which Excel reads another character set. Visitors choose
    titles, goals and answers: what a spreadsheet would run as a formula gets an apostrophe in front, and unprintable
    characters but ends of lines are escapes.
    """

    def __init__(self, columns: Sequence[ExportColumn], *, bom: bool) -> None:
        self._mark = BOM_UTF8 if bom else b""
        self._convert = _converter(columns, {"text": _guarded, "yes": lambda yes: "true" if yes else "false"})
        self._written = StringIO(newline="")
        self._writer = csv.writer(self._written, lineterminator="\r\n")
        self._writer.writerow([column.name for column in columns])

    async def add(self, lines: Sequence[Line]) -> bytes:
        self._writer.writerows(map(self._convert, lines))
        return self._drain()

    async def end(self) -> bytes:
        return self._drain()

    def _drain(self) -> bytes:
        piece = self._mark + self._written.getvalue().encode()
        self._mark = b""
        self._written.seek(0)
        self._written.truncate()
        return piece


def _guarded(text: str) -> str:
    shown = _FORMULA_IN_NEXT_CELL.sub("'", printable_lines(text))
    return f"'{shown}" if _FORMULA.match(text) else shown


def _converter(
    columns: Sequence[ExportColumn], more: dict[str, Callable[[Any], object]]
) -> Callable[[Line], list[object]]:
    """Returns a function that converts a line's values for JSON and text formats."""
    converters: dict[str, Callable[[Any], object]] = {"time": rfc3339, "money": money.decimal} | more
    changed = [(index, converters[kind]) for index, (_, kind) in enumerate(columns) if kind in converters]

    def convert_line(line: Line) -> list[object]:
        values: list[object] = list(line)
        for index, convert in changed:
            if values[index] is not None:
                values[index] = convert(values[index])
        return values

    return convert_line
