"""Cuts long texts into windows, so that no search of one takes long.

A search by a regular expression lets no other thread run until it ends; one over a script of two million characters
would hold up the server's event loop.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

WINDOW: Final = 1 << 16
OVERLAP: Final = 512
"""Longer than what any pattern matches."""


def windows(text: str) -> Iterator[str]:
    """Yields the text in pieces that overlap, so that what stands at a border is whole in one of them."""
    for start in range(0, max(len(text) - OVERLAP, 1), WINDOW):
        yield text[start : start + WINDOW + OVERLAP]
