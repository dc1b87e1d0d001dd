"""docs/doctor.md lists every code of a finding, each under a heading of its own, and none that is not there."""

from __future__ import annotations

import ast
import re
from pathlib import Path

from grapevine.doctor import page

MAKERS = ("ok", "hint", "problem", "FetchError")


def codes_in_the_code() -> set[str]:
    """The first argument of each call that makes a finding."""
    calls = (
        node
        for file in Path(page.__file__).parent.glob("*.py")
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in MAKERS
    )
    return {call.args[0].value for call in calls if isinstance(call.args[0], ast.Constant)}  # type: ignore[misc]


def test_every_code_has_its_heading(project_root: Path) -> None:
    listed = re.findall(r"^#### `([a-z-]+)`$", (project_root / "docs/doctor.md").read_text("utf-8"), re.MULTILINE)
    assert len(listed) == len(set(listed)) > 60
    assert set(listed) == codes_in_the_code()
