"""Texts of a path or of query parameters that no database can hold."""

from __future__ import annotations

import re
from typing import Final

_UNSTORABLE: Final = re.compile("[\0\ud800-\udfff]")
"""NUL, which PostgreSQL refuses in a text, and halves of surrogate pairs, which are no UTF-8."""
_NO_CHARACTER: Final = "\uffff"
"""Unicode keeps it free of any meaning, every database takes it, and no stored name holds it: names are printable."""


def storable(text: str) -> str:
    """Returns the text with each character that no database can hold replaced, so that it names nothing stored.

    The checks and queries behind refuse it, or find nothing, as with any other name that is none.
    """
    return _UNSTORABLE.sub(_NO_CHARACTER, text)
