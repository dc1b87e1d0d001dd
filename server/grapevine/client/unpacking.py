"""Packed bodies, unpacked a piece at a time, so that a small answer cannot become a large one at once."""

from __future__ import annotations

import zlib
from collections.abc import Iterator
from typing import Final

import httpx

from grapevine.client.limits import MOST_PIECE

ACCEPTED: Final = "gzip"
"""What requests ask for, in ``Accept-Encoding``."""

_PLAIN: Final = frozenset(("", "identity"))
_PACKED: Final = frozenset(("gzip", "x-gzip"))
_GZIP: Final = 16 + zlib.MAX_WBITS


class Unpacker:
    """Unpacks a body whose ``Content-Encoding`` is ``encoding``.

    Raises ValueError for one that was not asked for. A body that is packed twice is such: the bound on a piece would
    hold for the outer packing alone.
    """

    def __init__(self, encoding: str) -> None:
        named = encoding.strip().lower()
        if named not in _PLAIN | _PACKED:
            raise ValueError(f"it is packed as {encoding[:40]!r}, although only {ACCEPTED} was asked for")
        self._gzip = zlib.decompressobj(_GZIP) if named in _PACKED else None

    def pieces(self, received: bytes) -> Iterator[bytes]:
        """Yields what the next bytes unpack to, at least one piece, which may be empty: the time is looked at between
        pieces. Raises DecodingError."""
        if self._gzip is None:
            yield received
        elif self._gzip.eof:  # what is behind the end is left out; the object would keep all of it
            yield b""
        else:
            yield from self._unpacked(self._gzip, received)

    def _unpacked(self, gzip: zlib._Decompress, received: bytes) -> Iterator[bytes]:
        try:
            yield gzip.decompress(received, MOST_PIECE)
            while not gzip.eof and (piece := gzip.decompress(gzip.unconsumed_tail, MOST_PIECE)):
                yield piece
        except zlib.error as error:
            raise httpx.DecodingError(str(error)) from error
