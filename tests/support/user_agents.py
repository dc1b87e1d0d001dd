"""Agent strings that several tests send."""

from __future__ import annotations

from typing import Final

CHROME: Final = (
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
)
"""A reader's desktop browser."""
