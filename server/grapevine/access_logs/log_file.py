"""Reads the lines of a file of any size, also one that is compressed with gzip, with little memory."""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from io import BufferedReader
from typing import Final

from grapevine.errors import GrapevineError

LONGEST_LINE: Final = 64 << 10
"""Bytes of a line: web servers take requests of 8 to 32 KiB. A longer line is skipped and never kept as a whole."""

_BLOCK: Final = 256 << 10
_GZIP: Final = b"\x1f\x8b"


class UnreadableLog(GrapevineError):
    """A log cannot be read, or not to its end; the text says why."""


class LogFile:
    """The lines of an open file, block by block. ``too_long`` counts those that were skipped."""

    def __init__(self, file: BufferedReader) -> None:
        self._file = file
        self.too_long = 0

    def blocks(self) -> Iterator[list[bytes]]:
        """Yields the next lines, without what ends them; an empty line stands for one that is too long.

        Raises UnreadableLog when the file cannot be read to its end; all lines before were yielded then.
        """
        rest, skips = b"", False
        for block in self._bytes():
            lines = (rest + block).split(b"\n")
            rest = lines.pop()
            if lines and skips:
                lines[0], skips = b"", False
            if skips:
                rest = b""
            elif len(rest) > LONGEST_LINE:
                self.too_long += 1
                rest, skips = b"", True
            yield self._bounded(lines)
        if rest:
            yield self._bounded([rest])

    def _bounded(self, lines: list[bytes]) -> list[bytes]:
        for index, line in enumerate(lines):
            if len(line) > LONGEST_LINE:
                self.too_long += 1
                lines[index] = b""
        return lines

    def _bytes(self) -> Iterator[bytes]:
        try:
            is_compressed = self._file.peek(len(_GZIP)).startswith(_GZIP)
            file = gzip.GzipFile(fileobj=self._file) if is_compressed else self._file
            while block := file.read1(_BLOCK):
                yield block
        except EOFError:
            raise UnreadableLog("the compressed file ends in the middle") from None
        except (OSError, zlib.error) as error:
            reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
            raise UnreadableLog(reason) from None
