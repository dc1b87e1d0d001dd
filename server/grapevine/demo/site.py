"""Where the files of the demo site are."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path


def demo_folder() -> Path:
    """Returns the folder demo_site: inside an installed package, else next to ``server`` in the project."""
    package = Path(str(files("grapevine")))
    installed = package / "demo_site"
    return installed if installed.is_dir() else package.parents[1] / "demo_site"
