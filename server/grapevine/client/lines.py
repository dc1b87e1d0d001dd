"""Lines of a stream that comes in pieces."""

from __future__ import annotations

import re

from grapevine.client.limits import LONGEST_LINE


class LineReader:
    """Makes lines out of pieces; ``end`` matches the end of a line, which must not lie in two pieces.

    Each piece is searched once, by itself: a long line that comes in small pieces costs no more than a short one.
    """

    def __init__(self, end: re.Pattern[bytes]) -> None:
        self._end = end
        self._rest = bytearray()

    @property
    def has_rest(self) -> bool:
        """Whether there is a part of a line behind the last one."""
        return bool(self._rest)

    def read(self, piece: bytes) -> list[bytes]:
        """Returns the lines that end in this piece. Raises ValueError for a line that is too long."""
        first, *others = self._end.split(piece)
        self._rest += first
        if len(self._rest) > LONGEST_LINE:
            raise ValueError("a line of it is too long")
        if not others:
            return []
        *whole, rest = others
        lines = [bytes(self._rest), *whole]
        self._rest = bytearray(rest)
        return lines
