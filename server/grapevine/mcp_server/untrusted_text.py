"""Texts that strangers wrote, made harmless to pass on: without what is not to be seen, cut, and marked.

A visitor chooses the address, title, referrer, goal and answer that an assistant reads here, so any of them may hold a
sentence that is addressed to the assistant. Such a sentence is not taken out. It comes in a field that says where it is
from, and it cannot hide: no control or format character is left in it (those of terminals, of the direction of writing
and of zero width, the tags of U+E0000, variation selectors: in all of these whole sentences have been hidden).
"""

from __future__ import annotations

import re
import unicodedata
from typing import Final

MOST_CHARACTERS: Final = 200
"""A title or an address can be told from others by so much; a longer text ends in ``…``."""

CUT: Final = "…"
_READ: Final = 20 * MOST_CHARACTERS
"""What stands behind so many characters is not even looked at: cleaning costs time by the character."""

# ECMA-48: CSI with parameters, OSC and its like up to their end, and the escapes of one character.
_TERMINAL: Final = re.compile(
    r"(?:\x1b\[|\x9b)[0-?]*[ -/]*[@-~]?|(?:\x1b[\]PX^_]|[\x90\x98\x9d-\x9f])[^\x07\x1b\x9c]*(?:\x07|\x1b\\|\x9c)?"
    r"|\x1b[ -/]*[0-~]?"
)
_HIDDEN_CATEGORIES: Final = frozenset({"Cc", "Cf", "Cn", "Co", "Cs"})
# Default_Ignorable_Code_Point of Unicode beyond those categories, and the Braille pattern without a dot.
_HIDDEN: Final = re.compile(
    "[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u2800\u3164\ufe00-\ufe0f\uffa0\U000e0000-\U000e0fff]"
)
_SPACE: Final = re.compile(r"[\s\u2028\u2029]+")
_MAIL_ADDRESS: Final = re.compile(r"[^\s@<>()\[\],;:]+@[^\s@<>()\[\],;:]+\.[^\s@<>()\[\],;:]{2,}")
_TELEPHONE: Final = re.compile(r"(?<![\w-])(?:\+|00)?\d(?:[\s()./-]{0,2}\d){7,}(?![\w-])")


def harmless(text: str, *, with_contacts: bool = True, most: int = MOST_CHARACTERS) -> str:
    """Returns ``text`` on one line, with every character to be seen, in at most ``most`` characters.

    Without ``with_contacts`` the mail addresses and telephone numbers are left out that people write into a text.
    """
    shown = _SPACE.sub(" ", _TERMINAL.sub("", text[:_READ]))
    if not (shown.isascii() and shown.isprintable()):
        shown = _HIDDEN.sub("", shown)
        shown = "".join(each for each in shown if unicodedata.category(each) not in _HIDDEN_CATEGORIES)
        shown = _SPACE.sub(" ", shown)
    shown = shown.strip()
    if not with_contacts:
        shown = _TELEPHONE.sub("(number)", _MAIL_ADDRESS.sub("(mail address)", shown))
    if len(shown) <= most and len(text) <= _READ:
        return shown
    return shown[: most - len(CUT)].rstrip() + CUT
