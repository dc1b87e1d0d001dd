"""Output on terminals that do not understand UTF-8."""

from __future__ import annotations

import codecs
from typing import Final, TextIO

_PLAIN: Final = {"–": "-", "—": "-", "…": "...", "→": "->", "÷": "/", "×": "x", "✗": "x", "“": '"', "”": '"', "’": "'"}
_HANDLER: Final = "grapevine-plain"


def write_plainly(stream: TextIO) -> None:
    """Makes a stream whose encoding lacks a character write it in plain letters, or as an escape, as in JSON."""
    codecs.register_error(_HANDLER, _plain)
    reconfigure = getattr(stream, "reconfigure", None)
    if reconfigure is not None:
        reconfigure(errors=_HANDLER)


def for_stream(json: str, stream: TextIO) -> str:
    """Returns JSON that means the same in the encoding of a stream: letters that other encodings than UTF-8 lack, or
    write in another way, become escapes."""
    utf8 = codecs.lookup(stream.encoding or "utf-8").name == "utf-8"
    return json if utf8 else "".join(letter if letter.isascii() else _escaped(letter) for letter in json)


def _plain(error: UnicodeError) -> tuple[str, int]:
    if not isinstance(error, UnicodeEncodeError):
        raise error
    written = "".join(_PLAIN.get(letter) or _escaped(letter) for letter in error.object[error.start : error.end])
    return written, error.end


def _escaped(letter: str) -> str:
    """``\\u00e9``; letters beyond four digits are two of them, which JSON reads as one."""
    encoded = letter.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{encoded[at : at + 2].hex()}" for at in range(0, len(encoded), 2))
