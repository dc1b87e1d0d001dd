"""The index of decisions lists every decision with its own title, date and status."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest


@pytest.fixture(scope="module")
def decisions(project_root: Path) -> list[Path]:
    found = sorted((project_root / "docs/decisions").glob("[0-9]*.md"))
    assert len(found) >= 20
    return found


def test_no_number_is_used_twice(decisions: list[Path]) -> None:
    numbers = [path.name[:4] for path in decisions]
    assert len(numbers) == len(set(numbers))


def test_the_index_has_each_decision_with_its_title_date_and_status(decisions: list[Path], project_root: Path) -> None:
    index = (project_root / "docs/decisions/README.md").read_text("utf-8")
    rows = [line for line in index.splitlines() if re.match(r"\| \[\d{4}\]", line)]
    assert rows == [_row(path) for path in decisions]


def test_a_superseded_decision_names_one_that_is_there(decisions: list[Path]) -> None:
    names = {path.name for path in decisions}
    assert [link for path in decisions for link in _superseding(path) if link not in names] == []


def _row(path: Path) -> str:
    title, date, status = _head(path)
    return f"| [{path.name[:4]}]({path.name}) | {title} | {date} | {status} |"


def _head(path: Path) -> tuple[str, str, str]:
    """Returns title, date and status of a decision, which stand in this order in its first three lines."""
    lines = [line for line in path.read_text("utf-8").splitlines() if line]
    title = re.fullmatch(rf"# {int(path.name[:4])}\. (.+)", lines[0])
    date = re.match(r"(2026-\d\d-\d\d)(?=$|\W)", lines[1])
    assert title, f"{path.name} begins with another line than its number and title"
    assert date, f"{path.name} has no date below its title"
    status = re.match(r"(Superseded(?: in part)? by \[\d{4}\]\([^)]+\))", lines[2])
    return title[1], date[1], status[1][0].lower() + status[1][1:] if status else "in force"


def _superseding(path: Path) -> Iterator[str]:
    yield from re.findall(r"uperseded (?:in part )?by \[\d{4}\]\(([^)]+)\)", path.read_text("utf-8"))
