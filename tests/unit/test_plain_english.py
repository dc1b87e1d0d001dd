"""Documentation, SQL and the widget are in plain English: no phrase that made readers ask what it means."""

from __future__ import annotations

import re
from itertools import chain
from pathlib import Path
from typing import Final

import pytest

GLOBS: Final = (
    "README.md",
    "CONTRIBUTING.md",
    "docs/**/*.md",
    "widget/README.md",
    "widget/src/**/*.js",
    "server/grapevine/store/sql/**/*.sql",
)

BANNED: Final = {
    r"\bwhoever\b": "name the subject: a client, a process, a reader",
    r"\bnobody\b": "name the subject: no process, no request",
    r"\banswers with\b": "returns, responds with",
    r"\b(?:is|are|was|were) told\b": "gets, receives; is distinguished",
    r"\btold (?:apart|by|from)\b": "distinguished",
    r"\bshort way\b": "the fast path",
    r"\bhangs? (?:on|below) (?:the|its|what|one)\b": "is a child of; its parent is",
    r"\bstands? aside\b": "is aside: not counted in the cascade, without children",
    r"\bno good\b": "invalid",
    r"\bby turns\b": "one after the other; under a lock",
    r"\bheld against\b": "compared with",
    r"\bwhat (?:it|that|this) comes to\b": "the results",
}
"""Pattern → what to write instead. A phrase joins the list when no file has it any more."""


@pytest.mark.parametrize("pattern", BANNED)
def test_no_text_has_the_phrase(pattern: str, project_root: Path) -> None:
    files = sorted(set(chain.from_iterable(project_root.glob(glob) for glob in GLOBS)))
    assert len(files) > 80
    found = [
        f"{path.relative_to(project_root)}: {match[0]}"
        for path in files
        for match in re.finditer(pattern.replace(" ", r"\s+"), path.read_text("utf-8"), re.IGNORECASE)
    ]
    assert found == [], f"write instead: {BANNED[pattern]}"
