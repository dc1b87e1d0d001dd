"""Text from outside, made safe to be read: on a terminal, in a line of a log, in a spreadsheet.

Visitors choose addresses, titles, goals and answers, and addresses are stored as browsers spell them. Their control
characters would move the cursor, change colours or the window's title, or forge another line; characters that turn the
direction of writing make a text look like another one. All of these come out as escapes, which JSON reads as the
characters they stand for.
"""

from __future__ import annotations

import re
import unicodedata
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
# What nobody sees in a name, so that two names would look like one: characters of format, fillers, selectors of
# variants, tags; private use and characters that are none look different everywhere. Some that are of the category Cf
# are seen, such as the Arabic U+0600 or U+06DD, and are not here.
_UNSEEN: Final = (
    "\xad\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200d\u2060-\u2065\u3164\ufe00-\ufe0f\uffa0\ufff0-\ufff8"
    "\ue000-\uf8ff\ufdd0-\ufdef\ufffe\uffff\U00013430-\U0001345f\U0001bca0-\U0001bca3\U0001d173-\U0001d17a"
    "\U000e0000-\U0010ffff"
)
_HIDDEN: Final = re.compile(f"[{_UNSEEN}]|^\u2800|\u2800$")  # a blank of Braille is one between its letters alone
_SHOWN: Final = f"[^\x00-\x7f{_UNSEEN}]"
# Where writing needs them: joiners in Persian, Devanagari and emoji, selectors behind ideographs, Mongolian letters and
# emoji, the tags of flags. Never among Latin letters without accents, where they would do nothing but tell two names
# apart.
_NEEDED: Final = re.compile(
    f"(?<={_SHOWN})[\ufe00-\ufe0f\U000e0100-\U000e01ef]"
    "|(?<=[0-9#*])\ufe0f(?=\u20e3)"
    "|(?<=[\u1800-\u18af])[\u180b-\u180f]"
    f"|(?:(?<={_SHOWN})|(?<={_SHOWN}\ufe0f))[\u034f\u200c\u200d](?=[^{_UNSEEN}])"
    f"|(?<=[!-~])[\u034f\u200c\u200d](?={_SHOWN})"
    "|(?<=\U0001f3f4)[\U000e0030-\U000e0039\U000e0061-\U000e007a]{1,8}\U000e007f"
)
MOST_MARKS: Final = 10
"""Marks on one letter of a name: Hebrew, Vietnamese or Tibetan has four or five, and a hundred would cover other
lines."""
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


def name_text(text: str) -> str:
    """Returns a name as it is stored and looked up: what looks alike because it is the same text is the same.

    It is in Unicode's normalisation form C, without blanks around it.
    """
    return (text if text.isascii() else unicodedata.normalize("NFC", text)).strip()


def is_legible(name: str) -> bool:
    """Returns whether all of a name can be seen: it has no unprintable or invisible character, but for those that its
    writing needs, and at most ``MOST_MARKS`` marks on a letter."""
    if UNPRINTABLE.search(name):
        return False
    if name.isascii():
        return True
    if _HIDDEN.search(name) and _HIDDEN.search(_NEEDED.sub("", name)):
        return False
    marks = 0
    for character in name:
        marks = marks + 1 if unicodedata.category(character) in ("Mn", "Me") else 0
        if marks > MOST_MARKS:
            return False
    return True


def _escape(found: re.Match[str]) -> str:
    return _escape_text(found[0])


def _escape_text(character: str) -> str:
    return _SHORT.get(character) or f"\\u{ord(character):04x}"
