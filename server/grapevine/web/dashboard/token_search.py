"""Finds the share token in pasted text: the token itself, a URL, or a sentence with a URL in it."""

from __future__ import annotations

import re
from typing import Final

from grapevine.domain.tokens import LENGTH

_SHAPE: Final = f"([0-9A-Za-z]{{{LENGTH}}})(?![0-9A-Za-z])"
_IN_PATH: Final = re.compile(rf"/(?:s|about)/{_SHAPE}")


def find_token(text: str, param: str) -> str:
    """Returns the token in ``text``, else the trimmed text. ``param`` is the name of tokens in the site's URLs."""
    trimmed = text.strip()
    found = re.search(rf"(?:[?&#]|%26|%3F|%23){re.escape(param)}(?:=|%3D){_SHAPE}", trimmed, re.IGNORECASE)
    found = found or _IN_PATH.search(trimmed)
    return found[1] if found else trimmed
