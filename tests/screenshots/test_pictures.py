"""Every picture that README and the documentation show is drawn by ``make screenshots``, and no other lies around."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

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
