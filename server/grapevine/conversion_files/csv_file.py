"""A CSV file of conversions: its columns are the fields of the API, and each line is read strictly, with its number."""

from __future__ import annotations

import codecs
import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from grapevine.domain.did_you_mean import did_you_mean
from grapevine.errors import Invalid

COLUMNS: Final = ("goal", "id", "value", "currency", "at", "visit", "token", "external_id", "refund_of")
"""The columns that a file may have, in any order; ``goal`` and ``id`` are needed."""

MOST_CHARACTERS: Final = 1 << 17
"""Characters of a line, and of a cell."""

_DELIMITERS: Final = (",", ";")
_NAMES_VISIT: Final = ("visit", "token", "external_id", "refund_of")


class CsvLine(NamedTuple):
    """A row of the file: the number of the line on which it ends, its cells, and by the names of their columns those
    that are not empty. ``fault`` says why it is no row of this file."""

    number: int
    cells: list[str]
    fields: dict[str, str]
    fault: str | None = None


class ConversionFile:
    """A file in UTF-8 whose first line names its columns. Raises Invalid for one that cannot be such a file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            if not path.exists():
                raise Invalid.of("FILE", f"cannot be read: {path}: there is no such file")
            if not path.is_file():
                raise Invalid.of("FILE", f"cannot be read: {path}: it is read more than once, so it must be a file")
            with path.open("rb") as file:
                start = file.read(len(codecs.BOM_UTF8))
        except OSError as error:
            raise Invalid.of("FILE", f"cannot be read: {path}: {error.strerror}") from None
        except ValueError:
            raise Invalid.of("FILE", "cannot be read: its name has a NUL byte") from None
        if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            raise self._not_utf8()
        self._state = self._now()
        self.size = self._state[1]
        self.header, self.delimiter = self._read_header()

    def lines(self, on_bytes: Callable[[int], None] = lambda _: None) -> Iterator[CsvLine]:
        """Yields the rows; empty lines are left out. ``on_bytes`` is called now and then with the bytes that were read.

        Raises Invalid where the rest cannot be read: a quote that is never closed, a line that is too long, bytes that
        are no UTF-8; and where the file has changed since it was first read, before its first row and after its last.
        """
        rows = None
        try:
            self._check_unchanged()
            with self._opened() as file:
                rows = csv.reader(_bounded(file, on_bytes), delimiter=self.delimiter, strict=True)
                next(rows)
                for cells in rows:
                    if any(cells):
                        yield self._line(rows.line_num, cells)
                self._check_unchanged()
        except UnicodeDecodeError:
            raise self._not_utf8() from None
        except (OSError, csv.Error) as error:
            where = "" if rows is None else f"line {rows.line_num + 1}: "
            raise Invalid(f"{self._path}: {where}{_told(error)}.") from None

    def _now(self) -> tuple[int, int, int]:
        found = self._path.stat()
        return found.st_ino, found.st_size, found.st_mtime_ns

    def _check_unchanged(self) -> None:
        if self._now() != self._state:
            raise Invalid(
                f"{self._path} was changed while it was read. What was stored counts once: run the same command again."
            )

    def _line(self, number: int, cells: list[str]) -> CsvLine:
        if len(cells) != len(self.header):
            fault = f"has {len(cells)} cells, and the first line names {len(self.header)} columns"
            return CsvLine(number, cells, {}, fault)
        texts = zip(self.header, (cell.strip() for cell in cells), strict=True)
        return CsvLine(number, cells, {name: text for name, text in texts if text})

    def _read_header(self) -> tuple[list[str], str]:
        try:
            with self._opened() as file:
                line = file.readline(MOST_CHARACTERS)
            headers = [(next(csv.reader([line], delimiter=each), []), each) for each in _DELIMITERS]
        except UnicodeDecodeError:
            raise self._not_utf8() from None
        except csv.Error as error:
            raise Invalid(f"{self._path}: line 1: {_told(error)}.") from None
        found, delimiter = max(headers, key=lambda each: len(each[0]))
        header = [name.strip().casefold() for name in found]
        if not any(header):
            raise Invalid(f"{self._path} has no line with the names of its columns.")
        for name in header:
            if name not in COLUMNS:
                advice = did_you_mean(name, COLUMNS) or "."
                raise Invalid(
                    f"{self._path} has the column {name[:40]!r}, which is unknown here{advice} "
                    f"The columns are {', '.join(COLUMNS)}; take the others out."
                )
            if header.count(name) > 1:
                raise Invalid(f"{self._path} has the column {name} more than once.")
        missing = [name for name in ("goal", "id") if name not in header]
        if missing:
            why = ": the `id` keeps a line from counting twice" if "id" in missing else ""
            raise Invalid(f"{self._path} needs the column {' and the column '.join(missing)}{why}.")
        if not any(name in header for name in _NAMES_VISIT):
            raise Invalid(f"{self._path} needs a column that names the visit: visit, token or external_id.")
        return header, delimiter

    def _opened(self) -> TextIO:
        return self._path.open(encoding="utf-8-sig", newline="")

    def _not_utf8(self) -> Invalid:
        return Invalid(f"{self._path} is not in UTF-8. In a spreadsheet, save it as “CSV UTF-8”.")


def _bounded(file: TextIO, on_bytes: Callable[[int], None]) -> Iterator[str]:
    """Yields the lines of a file, none of them longer than MOST_CHARACTERS. Raises csv.Error for one that is."""
    while line := file.readline(MOST_CHARACTERS):
        if len(line) == MOST_CHARACTERS and not line.endswith("\n"):
            raise csv.Error(f"it is longer than {MOST_CHARACTERS:,} characters")
        on_bytes(file.buffer.tell())
        yield line


def _told(error: Exception) -> str:
    """Returns what the reader of CSV found, in plain words."""
    text = str(error)
    if "field larger" in text:
        return f"a cell is longer than {MOST_CHARACTERS:,} characters, or a quote in front of it is never closed"
    if "unexpected end" in text:
        return "a quote is opened and never closed"
    if "expected after" in text:
        return "a quote is closed in the midst of a cell; quotes within a cell are written twice"
    return text
