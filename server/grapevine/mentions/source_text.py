"""Titles and names that strangers gave to their pages, as they are stored: plain text on one line, and short."""

from __future__ import annotations

import re
from typing import Final

from grapevine.domain.printable import UNPRINTABLE

MOST_TITLE: Final = 200
"""Characters of a title or a name that are kept."""
_UNSEEN: Final = re.compile(f"{UNPRINTABLE.pattern}|[\u200b\u2060\u00ad]")
_READ: Final = 8


def source_text(text: str | None, most: int = MOST_TITLE) -> str | None:
    """Returns plain text (no markup, no references) without control characters and those that turn the direction of
    writing, each run of blanks as one; cut to ``most`` characters. None where nothing is left."""
    if not text:
        return None
    line = " ".join(_UNSEEN.sub(" ", text[: _READ * most]).split())
    return line[:most].rstrip() or None
