"""The formats that need no package: NDJSON, and CSV after RFC 4180 for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from io import StringIO
from typing import Any, Final, Protocol

import msgspec

from grapevine.domain import money
from grapevine.domain.periods import rfc3339
from grapevine.domain.printable import printable_json, printable_lines
from grapevine.exports.columns import ExportColumn, Line

FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""Characters with which a formula of a spreadsheet may begin (OWASP, CSV Injection)."""


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

    Visitors choose titles, goals and answers: a text that a spreadsheet would run as a formula begins with an
    apostrophe, and unprintable characters but ends of lines are escapes.
    """

    def __init__(self, columns: Sequence[ExportColumn]) -> None:
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
        piece = self._written.getvalue().encode()
        self._written.seek(0)
        self._written.truncate()
        return piece


def _guarded(text: str) -> str:
    shown = printable_lines(text)
    return f"'{shown}" if text.startswith(FORMULAS) else shown


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
