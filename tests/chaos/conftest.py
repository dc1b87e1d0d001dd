"""A database of its own for each test, copied from one that is made once."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.support.server_process import Installation, install


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Installation:
    """A database with one site, never served."""
    folder = tmp_path_factory.mktemp("installation")
    return install(folder / "data", folder)


@pytest.fixture
def installation(template: Installation, tmp_path: Path) -> Installation:
    """A database with one site."""
    folder = Path(shutil.copytree(template.folder, tmp_path / "data"))
    return Installation(folder, tmp_path, template.site, template.key)
