"""A database of its own for each test, copied from one that is made once."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.support.postgres import postgres
from tests.support.server_process import Installation, PostgresInstallation, install


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


@pytest.fixture
def postgres_installation(tmp_path: Path) -> Iterator[PostgresInstallation]:
    """A database with one site on a PostgreSQL server of the test's own, with full durability."""
    with postgres(durable=True) as server:
        yield PostgresInstallation(server.url(server.create()), tmp_path)
