"""The formats that need no package: NDJSON, and CSV after RFC 4180 for spreadsheets."""

from __future__ import annotations

import csv
from collections.abc import Callable, Sequence
from io import StringIO
from typing import Any, Final, Protocol

import msgspec

from grapevine.domain import money
from grapevine.domain.periods import rfc3339
from grapevine.exports.columns import Column, Line

FORMULAS: Final = ("=", "+", "-", "@", "\t", "\r", "\n")
"""What a spreadsheet may take for the beginning of a formula (OWASP, CSV Injection)."""


class Encoder(Protocol):
    """Makes one file out of lines, a piece at a time."""

    async def add(self, lines: Sequence[Line]) -> bytes:
        """What the file is longer by, which may be nothing yet."""
        ...

    async def end(self) -> bytes:
        """The rest of the file."""
        ...


class Ndjson:
    """A JSON object a line; every column is in each of them."""

    def __init__(self, columns: Sequence[Column]) -> None:
        self._names = [column.name for column in columns]
        self._say = _saying(columns, {})
        self._encoder = msgspec.json.Encoder()

    async def add(self, lines: Sequence[Line]) -> bytes:
        return self._encoder.encode_lines([dict(zip(self._names, self._say(line), strict=True)) for line in lines])

    async def end(self) -> bytes:
        return b""


class Csv:
    """Comma-separated values with a header, CRLF at the ends of lines, in UTF-8; what is not known is empty.

    A text that a spreadsheet would run as a formula gets an apostrophe in front, for visitors choose what titles, goals
    and answers begin with.
    """

    def __init__(self, columns: Sequence[Column]) -> None:
        self._say = _saying(columns, {"text": _guarded, "yes": lambda yes: "true" if yes else "false"})
        self._written = StringIO(newline="")
        self._writer = csv.writer(self._written, lineterminator="\r\n")
        self._writer.writerow([column.name for column in columns])

    async def add(self, lines: Sequence[Line]) -> bytes:
        self._writer.writerows(map(self._say, lines))
        return self._taken()

    async def end(self) -> bytes:
        return self._taken()

    def _taken(self) -> bytes:
        piece = self._written.getvalue().encode()
        self._written.seek(0)
        self._written.truncate()
        return piece


def _guarded(text: str) -> str:
    return f"'{text}" if text.startswith(FORMULAS) else text


def _saying(columns: Sequence[Column], more: dict[str, Callable[[Any], object]]) -> Callable[[Line], list[object]]:
    """What gives a line's values as texts and JSON say them."""
    ways: dict[str, Callable[[Any], object]] = {"time": rfc3339, "money": money.decimal} | more
    changed = [(place, ways[kind]) for place, (_, kind) in enumerate(columns) if kind in ways]

    def say(line: Line) -> list[object]:
        said: list[object] = list(line)
        for place, way in changed:
            if said[place] is not None:
                said[place] = way(said[place])
        return said

    return say
