"""A server of its own for each test, and processes at the lowest priority to attack it."""

from __future__ import annotations

import multiprocessing
import shutil
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from pathlib import Path

import pytest

from tests.support.attacked_server import AttackedInstallation, install_attacked, lowest_priority

ATTACKERS = 4


@pytest.fixture(scope="session")
def attacked_template(tmp_path_factory: pytest.TempPathFactory) -> AttackedInstallation:
    """A database with two sites, never served."""
    folder = tmp_path_factory.mktemp("attacked")
    return install_attacked(folder / "data", folder)


@pytest.fixture
def attacked(attacked_template: AttackedInstallation, tmp_path: Path) -> AttackedInstallation:
    """A database with two sites; ``with attacked.attacked(GRAPEVINE_…="…") as server`` serves it."""
    folder = Path(shutil.copytree(attacked_template.folder, tmp_path / "data"))
    return AttackedInstallation(folder, tmp_path, attacked_template.sites)


@pytest.fixture(scope="session")
def attackers() -> Iterator[Executor]:
    """Processes at the lowest priority; what is submitted to them is a function of a module."""
    spawn = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(ATTACKERS, spawn, lowest_priority) as executor:
        yield executor
