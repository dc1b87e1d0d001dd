"""What a check of a page finds: one sentence each, with a stable code and what to do about it."""

from __future__ import annotations

from typing import Final, Literal

import msgspec

from grapevine.domain.printable import printable

Level = Literal["ok", "hint", "problem"]

SHOWN: Final = 200
"""Characters of a page that one finding shows at most, so that it stays a sentence."""


class PageFinding(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One finding. ``code`` is stable and listed in docs/doctor.md; ``paste`` is the exact line to type or paste.

    A ``problem`` keeps visits from being counted, a ``hint`` does not.
    """

    code: str
    level: Level
    says: str
    fix: str = ""
    paste: str = ""


def ok(code: str, says: str) -> PageFinding:
    """Returns a finding that asks for nothing."""
    return PageFinding(code=code, level="ok", says=says)


def hint(code: str, says: str, fix: str = "", paste: str = "") -> PageFinding:
    """Returns a finding that is worth a look; the page is counted all the same."""
    return PageFinding(code=code, level="hint", says=says, fix=fix, paste=paste)


def problem(code: str, says: str, fix: str, paste: str = "") -> PageFinding:
    """Returns a finding because of which visits of the page are not counted."""
    return PageFinding(code=code, level="problem", says=says, fix=fix, paste=paste)


def cut(text: str, most: int = SHOWN) -> str:
    """Returns a text of a page as a finding may show it: on one line, without control characters, and not long."""
    line = printable(" ".join(text[: 4 * most].split()))
    return line if len(line) <= most else f"{line[: most - 1]}…"


def listed(names: list[str], most: int = 5) -> str:
    """Returns ``a, b and c``, or the first ones ``and 4 others``."""
    shown = [*names[:most], f"{len(names) - most} others"] if len(names) > most else names
    return shown[0] if len(shown) == 1 else f"{', '.join(shown[:-1])} and {shown[-1]}"
