"""Finds the share token in what somebody pastes: the token itself, a whole URL, or a sentence around one."""

from __future__ import annotations

import re
from typing import Final

from grapevine.domain.tokens import LENGTH

_SHAPE: Final = f"([0-9A-Za-z]{{{LENGTH}}})(?![0-9A-Za-z])"
_IN_PATH: Final = re.compile(rf"/(?:s|about)/{_SHAPE}")


def find_token(text: str, param: str) -> str:
    """The token in ``text``, or the trimmed text itself. ``param`` is the name that tokens have in the site's URLs."""
    trimmed = text.strip()
    found = re.search(rf"(?:[?&#]|%26|%3F|%23){re.escape(param)}(?:=|%3D){_SHAPE}", trimmed, re.IGNORECASE)
    found = found or _IN_PATH.search(trimmed)
    return found[1] if found else trimmed
