"""Every picture that README and the documentation show is drawn by ``make screenshots``, and no other lies around."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Final

import pytest

from tests.screenshots.__main__ import draw
from tests.screenshots.pictures import FOLDER, MOST_BYTES, PICTURES

DRAWN_ELSEWHERE: Final = {"flame.svg"}
"""The flame graph of ``make bench ARGS=flame``."""


def shown(root: Path) -> set[str]:
    """The files of ``docs/images`` that a page shows, as Markdown or in ``<picture>``."""
    pages = [root / "README.md", root / "widget/README.md", *root.glob("docs/**/*.md")]
    found: set[str] = set()
    for page in pages:
        text = page.read_text("utf-8")
        named = re.findall(r"!\[[^\]]*\]\(([^)\s]+)", text) + re.findall(r"(?:src|srcset)=\"([^\"\s]+)", text)
        found |= {(page.parent / name).resolve().name for name in named if "images/" in name}
    return found


def test_what_is_shown_is_drawn_and_what_is_drawn_is_shown(project_root: Path) -> None:
    assert shown(project_root) - DRAWN_ELSEWHERE == {picture.file for picture in PICTURES}


def test_each_picture_is_there_and_no_other() -> None:
    assert {file.name for file in FOLDER.iterdir()} - DRAWN_ELSEWHERE == {picture.file for picture in PICTURES}


def test_pictures_are_small_and_named_once() -> None:
    assert len({picture.file for picture in PICTURES}) == len(PICTURES)
    sizes = {picture.file: (FOLDER / picture.file).stat().st_size for picture in PICTURES}
    assert {name: size for name, size in sizes.items() if size > MOST_BYTES} == {}


def test_each_picture_has_an_end() -> None:
    assert [picture.file for picture in PICTURES if (picture.until is None) == (picture.height is None)] == []


@pytest.mark.slow
@pytest.mark.browser
def test_drawn_twice_they_are_the_same_bytes(tmp_path: Path) -> None:
    drawn = []
    for name in ("first", "second"):
        folder = tmp_path / name
        folder.mkdir()
        asyncio.run(draw(PICTURES, folder))
        drawn.append({file.name: file.read_bytes() for file in folder.iterdir()})
    assert drawn[0].keys() == {picture.file for picture in PICTURES}
    assert [name for name in drawn[0] if drawn[0][name] != drawn[1][name]] == []
