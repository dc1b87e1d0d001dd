"""The wheel in an empty environment, with the lowest and the newest versions of other packages that it admits."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from build import project_version
from tests.release.builds import ONE, build_all, lowest, tracked_files
from tests.release.installed import Environment, try_commands, try_demo, try_server
from tests.support.postgres import Postgres

pytestmark = [pytest.mark.process, pytest.mark.slow]


@pytest.fixture(scope="module")
def wheel(project_root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_all(project_root, tracked_files(project_root), tmp_path_factory.mktemp("wheel"), ONE)[0]


@pytest.fixture(scope="module")
def project(project_root: Path) -> dict[str, Any]:
    return dict(tomllib.loads((project_root / "pyproject.toml").read_text("utf-8"))["project"])


def interpreters() -> list[str]:
    """Returns the Pythons of this machine that the project admits, the lowest first."""
    found = []
    for minor in range(11, 16):
        name = f"python3.{minor}"
        try:
            asked = subprocess.run([name, "-c", "import ensurepip"], capture_output=True, check=False)  # noqa: S603
        except FileNotFoundError:
            continue
        if asked.returncode == 0:
            found.append(name)
    return found or [sys.executable]


@pytest.mark.parametrize("versions", ["lowest", "newest"])
@pytest.mark.parametrize("extras", [False, True], ids=["alone", "extras"])
def test_the_wheel_runs_with_every_version_that_it_admits(
    wheel: Path,
    project: dict[str, Any],
    project_root: Path,
    tmp_path: Path,
    versions: str,
    extras: bool,
    request: pytest.FixtureRequest,
) -> None:
    """The lowest ones on the lowest Python: their makers compiled them for none of the later ones."""
    pythons = interpreters()
    environment = Environment(tmp_path / "environment", pythons[0] if versions == "lowest" else pythons[-1])
    requirements: list[str] = list(project["dependencies"])
    optional: dict[str, list[str]] = project["optional-dependencies"] if extras else {}
    for wanted in optional.values():
        requirements += wanted
    pins = lowest(requirements) if versions == "lowest" else []
    environment.install(f"{wheel}[{','.join(optional)}]" if extras else str(wheel), *pins)
    installed = environment.versions()
    for pin in pins:
        name, _, version = pin.partition("==")
        assert installed[name.lower()].startswith(version), pin
    version = project_version(project_root)
    try_commands(environment, version)
    if extras:
        server: Postgres = request.getfixturevalue("postgres_server")
        try_server(environment, server.url(server.create()), parquet=True)
    else:
        try_server(environment, f"sqlite:///{tmp_path}/grapevine.sqlite3", parquet=False)
        try_demo(environment)
