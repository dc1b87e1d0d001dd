"""Bytes of a mail as text and back, the same bytes: only what is inserted is new."""

from __future__ import annotations

import codecs
from typing import Final

_SIGNED: Final = {codecs.BOM_UTF16_LE: "utf-16-le", codecs.BOM_UTF16_BE: "utf-16-be"}
"""By the byte order mark, which stays in the text."""


def decoded(data: bytes) -> str:
    """Returns the text of a file in UTF-8, in UTF-16 with a byte order mark, or in any encoding that writes ASCII as
    ASCII: bytes that are no UTF-8 become characters that ``encoded`` turns back."""
    encoding, errors = _codec(data)
    return data.decode(encoding, errors)


def encoded(text: str, like: bytes) -> bytes:
    """Returns the bytes of a text that was made from that of ``like``."""
    encoding, errors = _codec(like)
    return text.encode(encoding, errors)


def _codec(data: bytes) -> tuple[str, str]:
    if len(data) % 2 == 0 and data[:2] in _SIGNED:
        return _SIGNED[data[:2]], "surrogatepass"
    return "utf-8", "surrogateescape"
