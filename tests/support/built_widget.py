"""The widget, built from the sources once per session."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from build import build_widget, earlier_files


class Built(NamedTuple):
    scripts: dict[str, bytes]
    """The widget and its parts by name."""
    loaded_later: dict[str, bytes]
    """The lazy parts of the built widget by file name."""


@pytest.fixture(scope="session")
def built(project_root: Path) -> Built:
    """The widget, built in memory."""
    files, scripts = build_widget(project_root)
    loaded_later = {
        name: body for name, body in files.items() if name.endswith((".js", ".json")) and name != "manifest.json"
    }
    return Built({script.name: script.body for script in scripts}, loaded_later)


@pytest.fixture(scope="session")
def earlier_build(project_root: Path) -> dict[str, str]:
    """The files of a real earlier build, by name: the last one before servers kept the files that they serve. Its
    script is the one name without a part's (``widget.HASH.js``)."""
    files = earlier_files(project_root / "widget/earlier")
    return {name: body.decode() for name, body in files.items() if name.endswith((".js", ".json"))}
