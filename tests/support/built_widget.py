"""The widget, built from the sources once per session."""

from __future__ import annotations

from pathlib import Path
from typing import NamedTuple

import pytest

from build import build_widget


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
