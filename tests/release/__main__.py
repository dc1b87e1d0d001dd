"""``make release-check``: builds what a release would publish, checks it in every respect, and prints it.

What is published is left in ``dist/``. Nothing is uploaded.
"""

from __future__ import annotations

import hashlib
import re
import shutil
import subprocess
import sys
import tempfile
import tomllib
from importlib.metadata import version as installed_version
from pathlib import Path
from typing import Final

from packaging.requirements import Requirement
from rich.console import Console
from rich.table import Table

from build import ROOT, project_version
from tests.release.builds import ONE, OTHER, build, build_all, copy_files, tracked_files, uncommitted_files
from tests.release.contents import machine_paths, names_in, sdist_faults, wheel_faults
from tests.release.installed import Environment, try_commands, try_demo, try_server

DIST: Final = ROOT / "dist"


class Checks:
    """Prints each check as it ends; the first fault ends the program."""

    def __init__(self) -> None:
        self.console = Console(highlight=False, width=120)

    def passed(self, what: str) -> None:
        self.console.print(f"[green]ok[/]    {what}", soft_wrap=True)

    def note(self, what: str) -> None:
        self.console.print(f"[yellow]note[/]  {what}", soft_wrap=True)

    def require(self, what: str, faults: list[str]) -> None:
        if faults:
            raise SystemExit("\n".join([f"FAILED  {what}", *(f"        {fault}" for fault in faults[:20])]))
        self.passed(what)


def main() -> None:
    checks = Checks()
    version = project_version(ROOT)
    if changed := uncommitted_files(ROOT):
        count = "1 file is" if len(changed) == 1 else f"{len(changed)} files are"
        checks.note(f"{count} not as in the last commit; built is what git tracks, as it is now")
    check_changelog(checks, version, (ROOT / "CHANGELOG.md").read_text("utf-8"))
    with tempfile.TemporaryDirectory(prefix="grapevine-release-") as name:
        scratch = Path(name)
        tracked = tracked_files(ROOT)
        files = build_twice(checks, tracked, scratch)
        check_contents(checks, files, tracked, version, scratch)
        check_metadata(checks, files)
        check_installed(checks, files, version, scratch)
        publish(files)
    show(checks)


def build_twice(checks: Checks, tracked: list[str], scratch: Path) -> list[Path]:
    # Somebody may go on working meanwhile.
    snapshot = copy_files(ROOT, tracked, scratch / "snapshot")
    files, again = (build_all(snapshot, tracked, scratch, circumstances) for circumstances in (ONE, OTHER))
    what = "two builds are the same bytes, though folder, umask, locale, time zone and hash seed differ"
    checks.require(what, _unequal(files, again))
    wheel, sdist = files
    shutil.unpack_archive(sdist, scratch / "unpacked", filter="data")
    (source,) = (scratch / "unpacked").iterdir()
    checks.require(
        "the wheel built from the sdist is the same bytes, too",
        _unequal([wheel], build(source, scratch / "from sdist", OTHER, "wheel")),
    )
    return files


def _unequal(files: list[Path], others: list[Path]) -> list[str]:
    names = [[file.name for file in found] for found in (files, others)]
    if names[0] != names[1]:
        return [f"{names[0]} and {names[1]}"]
    return [
        f"{one.name} differs" for one, two in zip(files, others, strict=True) if one.read_bytes() != two.read_bytes()
    ]


def check_changelog(checks: Checks, version: str, text: str) -> None:
    sections = dict(re.findall(r"^## \[(.+?)\](.*?\n.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    missing = [] if version in sections else [f"its sections are {', '.join(sections)}; write one for this version"]
    checks.require(f"CHANGELOG.md has a section for {version}", missing)
    head, _, _ = sections[version].partition("\n")
    if not re.search(r"\d{4}-\d\d-\d\d", head):
        checks.note(f"CHANGELOG.md: [{version}] has no date yet; give it one in the release's commit")
    if len(sections.get("Unreleased", "").strip()) > 0:
        checks.note(f"CHANGELOG.md: text stands under [Unreleased]; move what the release has to [{version}]")


def check_contents(checks: Checks, files: list[Path], tracked: list[str], version: str, scratch: Path) -> None:
    wheel, sdist = files
    names = [f"grapevine_share-{version}-py3-none-any.whl", f"grapevine_share-{version}.tar.gz"]
    checks.require("both files have the version in their names", [] if [f.name for f in files] == names else names)
    in_wheel, in_sdist = names_in(wheel), names_in(sdist)
    checks.require(
        f"the wheel holds the package, the demo site and the built widget, and nothing else ({len(in_wheel)} files)",
        wheel_faults(in_wheel, tracked, version),
    )
    checks.require(
        f"the sdist holds the tracked files, and nothing else ({len(in_sdist)} files)", sdist_faults(in_sdist, tracked)
    )
    found = [f"{file.name}: {name}" for file in files for name in machine_paths(file, ROOT, scratch, Path.home())]
    checks.require("no file names a folder of this machine", found)


def check_metadata(checks: Checks, files: list[Path]) -> None:
    command = [sys.executable, "-m", "twine", "check", "--strict", *map(str, files)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)  # noqa: S603
    faults = (done.stdout + done.stderr).splitlines() if done.returncode else []
    checks.require("the metadata are as PyPI takes them (twine check --strict)", faults)


def check_installed(checks: Checks, files: list[Path], version: str, scratch: Path) -> None:
    environment = Environment(scratch / "environment", sys.executable)
    environment.install(str(files[0]))
    checks.passed(f"the wheel installs into an empty environment ({len(environment.versions()) - 2} packages with it)")
    try_commands(environment, version)
    checks.passed(f"grapevine, grapevine-share and python -m grapevine are {version}")
    try_server(environment, f"sqlite:///{scratch}/release.sqlite3", parquet=False)
    checks.passed("site add, serve, a visit, a return, the dashboard, token inspect, stats and export work there")
    try_demo(environment)
    checks.passed("grapevine demo answers there")


def publish(files: list[Path]) -> None:
    """Leaves the files in dist/, and no others."""
    shutil.rmtree(DIST, ignore_errors=True)
    DIST.mkdir()
    for file in files:
        shutil.copyfile(file, DIST / file.name)


def show(checks: Checks) -> None:
    """Prints what a release would publish, and with what it was built."""
    requires = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["build-system"]["requires"]
    wanted = [one for one in map(Requirement, requires) if not one.marker or one.marker.evaluate()]
    table = Table(title="What a release would publish, in dist/", title_justify="left", box=None)
    for column in ("file", "bytes", "sha256"):
        table.add_column(column, justify="right" if column == "bytes" else "left", overflow="fold")
    for file in sorted(DIST.iterdir()):
        body = file.read_bytes()
        table.add_row(file.name, f"{len(body):,}", hashlib.sha256(body).hexdigest())
    checks.console.print(table)
    versions = ", ".join(f"{one.name} {installed_version(one.name)}" for one in wanted)
    checks.console.print(
        f"Built with Python {sys.version.split()[0]}, {versions}: the same ones make the same bytes.", soft_wrap=True
    )
    checks.console.print("To publish it: .venv/bin/python -m twine upload dist/*", soft_wrap=True)


if __name__ == "__main__":
    main()
