"""The finding of a check."""

from __future__ import annotations

from typing import Any

import msgspec


class Finding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One check: whether all is ``ok``, one sentence about it, and the remedy when it is not.

    ``places`` is the number of keys whose counts differ, ``differences`` lists the first of them.
    """

    check: str
    ok: bool
    says: str
    fix: str | None = None
    places: int = 0
    differences: tuple[dict[str, Any], ...] = ()


def good(check: str, says: str) -> Finding:
    """Returns the finding of a check that passed."""
    return Finding(check=check, ok=True, says=says)


def bad(check: str, says: str, fix: str) -> Finding:
    """Returns the finding of a check that failed, with its remedy."""
    return Finding(check=check, ok=False, says=says, fix=fix)
