"""The fast path works with the lowest and the newest uvicorn that pyproject admits."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

pytestmark = [pytest.mark.slow, pytest.mark.process]

TESTS = tuple(f"tests/serving/test_{name}.py" for name in ("bounds", "fast_path", "fast_path_features"))


@pytest.mark.parametrize("which", ["lowest", "newest"])
def test_the_fast_path(which: str, project_root: Path, tmp_path: Path) -> None:
    project = tomllib.loads((project_root / "pyproject.toml").read_text())["project"]
    admitted = re.search(r"'uvicorn(>=([\d.]+),<[\d.]+)'", str(project["dependencies"]))
    assert admitted
    wanted = f"uvicorn=={admitted[2]}" if which == "lowest" else f"uvicorn{admitted[1]}"
    pip = [sys.executable, "-m", "pip", "install", "-q", "--no-deps", "--target", str(tmp_path), wanted]
    subprocess.run(pip, check=True)  # noqa: S603
    environ = os.environ | {"PYTHONPATH": str(tmp_path)}  # comes before what is installed
    where = "import uvicorn; print(uvicorn.__file__)"
    found = subprocess.run([sys.executable, "-c", where], env=environ, capture_output=True, text=True, check=True)  # noqa: S603
    assert Path(found.stdout.strip()).is_relative_to(tmp_path)
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-m", "pytest", "-q", "-m", "not postgres", "-p", "no:cacheprovider", *TESTS],
        cwd=project_root,
        env=environ,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout
