"""The recipients of a mailing: a CSV as spreadsheets and mail services write it, read row by row."""

from __future__ import annotations

import codecs
import csv
import re
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple, TextIO

from grapevine.config.private_files import make_file
from grapevine.domain.printable import is_legible, name_text
from grapevine.errors import Invalid
from grapevine.links.schemas import MOST_CHARACTERS

_DELIMITERS: Final = (",", ";", "\t", "|")
_MOST_HEADER: Final = 1 << 16
"""Characters of the first line."""
_MOST_WRONG: Final = 5
"""Rows that a refusal names."""
_NOT_IN_A_NAME: Final = re.compile(r"[^0-9A-Za-z._@+-]|^[.]|[.]$|^.{101}")


class Recipient(NamedTuple):
    """A row of the list: the number of its line, its cells, and the name of the one whom it is for; empty where it does
    not say."""

    number: int
    cells: list[str]
    name: str


class RecipientList:
    """A CSV with the names of its columns in the first line. In ``column`` stands what tells recipients apart.

    The separator is the one by which the first line has that column. Raises Invalid for a file that is no such list.
    """

    def __init__(self, path: Path, column: str) -> None:
        self._path = path
        try:
            with path.open("rb") as file:
                start = file.read(3)
            self._encoding = _encoding(start)
            with self._opened() as file:
                line = file.readline(_MOST_HEADER)
        except OSError as error:
            raise Invalid(f"{path} cannot be read: {error.strerror}.") from None
        except UnicodeDecodeError:
            raise _not_utf8(path) from None
        self._line_end = "\r\n" if line.endswith("\r\n") else "\n"
        headers = [(each, next(csv.reader([line], delimiter=each), [])) for each in _DELIMITERS]
        for self._delimiter, self.header in headers:
            found = _index(self.header, column)
            if found is not None:
                self._index = found
                return
        _, names = max(headers, key=lambda each: len(each[1]))
        shown = ", ".join(name.strip()[:40] for name in names[:20]) or "none"
        raise Invalid(f"{path} has no column named {column}; its columns are: {shown}.")

    def check(self) -> int:
        """Reads the whole list once. Returns the number of its rows. Raises Invalid with the lines that are wrong."""
        rows, wrong = 0, list[str]()
        for each in self:
            rows += 1
            if len(each.name) > MOST_CHARACTERS or not is_legible(each.name):
                wrong.append(f"line {each.number}")
                if len(wrong) == _MOST_WRONG:
                    break
        if wrong:
            raise Invalid(
                f"{self._path}: {', '.join(wrong)}: what tells recipients apart must be 1 to {MOST_CHARACTERS} "
                "printable characters on one line."
            )
        if not rows:
            raise Invalid(f"{self._path} has no row behind the names of its columns.")
        return rows

    def __iter__(self) -> Iterator[Recipient]:
        """Yields the rows; empty lines are left out. Raises Invalid where the file is none."""
        try:
            with self._opened() as file:
                rows = csv.reader(file, delimiter=self._delimiter)
                next(rows)
                for cells in rows:
                    if any(cells):
                        name = name_text(cells[self._index]) if len(cells) > self._index else ""
                        yield Recipient(rows.line_num, cells, name)
        except UnicodeDecodeError:
            raise _not_utf8(self._path) from None
        except (OSError, csv.Error) as error:
            raise Invalid(f"{self._path} cannot be read: {error}.") from None

    def writer(self, path: Path, more: Sequence[str]) -> RecipientWriter:
        """Returns what writes this list anew, in the same form, with more columns."""
        return RecipientWriter(path, self.header, more, self._encoding, self._delimiter, self._line_end)

    def _opened(self) -> TextIO:
        return self._path.open(encoding=self._encoding, newline="")


class RecipientWriter:
    """Writes a list of recipients with more columns; those that are there already are written over."""

    def __init__(
        self, path: Path, header: Sequence[str], more: Sequence[str], encoding: str, delimiter: str, line_end: str
    ) -> None:
        make_file(path)
        self._file = path.open("w", encoding=encoding, newline="")
        self._rows = csv.writer(self._file, delimiter=delimiter, lineterminator=line_end)
        self._header = [*header, *(name for name in more if name not in header)]
        self._places = [self._header.index(name) for name in more]
        self._rows.writerow(self._header)

    def write(self, cells: Sequence[str], more: Sequence[str]) -> None:
        """Writes a row."""
        row = [*cells, *[""] * (len(self._header) - len(cells))]
        for place, text in zip(self._places, more, strict=True):
            row[place] = text
        self._rows.writerow(row)

    def close(self) -> None:
        """Writes the rest."""
        self._file.close()


class FileNames:
    """A file name for each recipient: what tells them apart where that can be a name everywhere, else the token."""

    def __init__(self) -> None:
        self._taken: dict[str, str] = {}

    def name(self, recipient: str, token: str) -> str:
        """Returns the name, without ending."""
        if _NOT_IN_A_NAME.search(recipient) or self._taken.setdefault(recipient.lower(), recipient) != recipient:
            return token
        return recipient


def _encoding(start: bytes) -> str:
    if start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return "utf-16"
    return "utf-8-sig" if start.startswith(codecs.BOM_UTF8) else "utf-8"


def _index(header: Sequence[str], column: str) -> int | None:
    """Returns the place of a column, by its name or by its name in other case."""
    if column in header:
        return header.index(column)
    folded = [name.strip().casefold() for name in header]
    return folded.index(column.strip().casefold()) if column.strip().casefold() in folded else None


def _not_utf8(path: Path) -> Invalid:
    return Invalid(f"{path} is not in UTF-8. In a spreadsheet, save it as “CSV UTF-8”.")
