"""Builds the sdist and the wheel from the files that git tracks, as often and under such circumstances as wanted."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final, NamedTuple

from packaging.requirements import Requirement

VARIABLES: Final = ("LANG", "LC_ALL", "PYTHONHASHSEED", "SOURCE_DATE_EPOCH", "TZ")
"""Environment variables that a build might depend on. None is passed on."""


class Circumstances(NamedTuple):
    """What differs between two machines that build the same release."""

    folder: str
    umask: int
    environ: dict[str, str]


ONE: Final = Circumstances("one", 0o022, {"LC_ALL": "C", "PYTHONHASHSEED": "1", "TZ": "UTC"})
OTHER: Final = Circumstances(
    "two/somewhere else", 0o077, {"LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "2", "TZ": "Pacific/Auckland"}
)


def tracked_files(root: Path) -> list[str]:
    """Returns the paths of the files that git tracks, relative to the project."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=root, check=True, capture_output=True, text=True)  # noqa: S607
    return [name for name in listed.stdout.split("\0") if name and (root / name).is_file()]


def uncommitted_files(root: Path) -> list[str]:
    """Returns what differs from the last commit, untracked files included, as git prints it."""
    command = ["git", "status", "--porcelain"]
    return subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.splitlines()  # noqa: S603


def copy_files(root: Path, names: list[str], folder: Path) -> Path:
    """Copies files to a new folder, as they are now, committed or not."""
    for name in names:
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(root / name, target)
        target.chmod(0o755 if os.access(root / name, os.X_OK) else 0o644)
    return folder


def build(source: Path, folder: Path, circumstances: Circumstances, *targets: str) -> list[Path]:
    """Builds ``sdist`` or ``wheel`` in ``source`` with the build packages of this environment."""
    kept = {name: value for name, value in os.environ.items() if name not in VARIABLES}
    command = [sys.executable, "-m", "hatchling", "build", "-d", str(folder)]
    for target in targets:
        command += ["-t", target]
    done = subprocess.run(  # noqa: S603
        command,
        cwd=source,
        env=kept | circumstances.environ,
        umask=circumstances.umask,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise SystemExit(f"the build failed:\n{done.stdout}{done.stderr}")
    return sorted(folder.iterdir())


def build_all(root: Path, names: list[str], scratch: Path, circumstances: Circumstances) -> list[Path]:
    """Builds sdist and wheel from a copy of these files, and returns wheel and sdist."""
    place = scratch / circumstances.folder
    return build(copy_files(root, names, place / "source"), place / "dist", circumstances, "sdist", "wheel")


def lowest(requirements: list[str]) -> list[str]:
    """Returns requirements that pin the lowest version that each one admits."""
    pins = []
    for requirement in map(Requirement, requirements):
        if requirement.marker and not requirement.marker.evaluate():
            continue
        (bound,) = [one.version for one in requirement.specifier if one.operator in {">=", "=="}]
        pins.append(f"{requirement.name}=={bound}")
    return pins
