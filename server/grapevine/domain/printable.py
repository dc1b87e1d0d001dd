"""Text from outside, made safe to be read: on a terminal, in a line of a log, in a spreadsheet.

Visitors choose addresses, titles, goals and answers, and addresses are stored as browsers spell them. Their control
characters would move the cursor, change colours or the window's title, or forge another line; characters that turn the
direction of writing make a text look like another one. All of these come out as escapes, which JSON reads as the
characters they stand for.
"""

from __future__ import annotations

import re
from typing import Final

# C0, DEL and C1; U+061C, U+200E/F, U+202A-E and U+2066-9 turn the direction of writing, U+206A-F did so once; U+2028/9
# end a line; U+FEFF and U+FFF9-B are not to be seen; surrogates cannot be encoded.
UNPRINTABLE: Final = re.compile(
    "[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff]"
)
_LINE_END_OR_UNPRINTABLE: Final = re.compile(f"\r?\n|{UNPRINTABLE.pattern}")
# The same in UTF-8 without C0: an encoder of JSON leaves no other control character in a line, which ends with one.
_UNPRINTABLE_IN_JSON: Final = re.compile(
    rb"\x7f|\xc2[\x80-\x9f]|\xd8\x9c|\xe2\x80[\x8e\x8f\xa8-\xae]|\xe2\x81[\xa6-\xaf]|\xef\xbb\xbf|\xef\xbf[\xb9-\xbb]"
)
_SHORT: Final = {"\n": "\\n", "\r": "\\r", "\t": "\\t"}


def printable(text: str) -> str:
    """Returns ``text`` with every unprintable character as a backslash and n, r, t, or u with four digits."""
    return text if text.isprintable() else UNPRINTABLE.sub(_escape, text)


def printable_lines(text: str) -> str:
    """Returns ``text`` like ``printable``, with its ends of lines as they are."""
    if text.isprintable():
        return text
    return _LINE_END_OR_UNPRINTABLE.sub(lambda found: found[0] if found[0].endswith("\n") else _escape(found), text)


def printable_json(encoded: bytes) -> bytes:
    """Returns JSON in UTF-8 that means the same, with every unprintable character as an escape."""
    return _UNPRINTABLE_IN_JSON.sub(lambda found: _escape_text(found[0].decode()).encode(), encoded)


def _escape(found: re.Match[str]) -> str:
    return _escape_text(found[0])


def _escape_text(character: str) -> str:
    return _SHORT.get(character) or f"\\u{ord(character):04x}"
