"""What `make release-check` finds, and which versions the slow tests pin."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.release.__main__ import Checks, check_changelog
from tests.release.builds import lowest
from tests.release.contents import BUILT, DIST_INFO, sdist_faults, wheel_faults

TRACKED = [".gitignore", "demo_site/index.html", "server/grapevine/__init__.py", "tests/conftest.py"]
WHEEL = [
    "grapevine/__init__.py",
    "grapevine/demo_site/index.html",
    "grapevine/built/widget/widget.0123456789ab.qr.js.br",
    *(f"grapevine/built/{name}" for name in BUILT),
    *(f"grapevine_share-1.0.dist-info/{name}" for name in DIST_INFO),
]


def test_every_package_has_a_lowest_version(project_root: Path) -> None:
    project = tomllib.loads((project_root / "pyproject.toml").read_text("utf-8"))["project"]
    wanted = [*project["dependencies"], *(one for extra in project["optional-dependencies"].values() for one in extra)]
    assert len(lowest(wanted)) == len(wanted)
    assert lowest(["uvicorn>=0.45,<0.55", "uvloop>=0.21; sys_platform == 'win32'"]) == ["uvicorn==0.45"]
    with pytest.raises(ValueError, match="unpack"):
        lowest(["starlette"])


def test_a_file_too_many_or_too_few_is_found() -> None:
    assert wheel_faults(WHEEL, TRACKED, "1.0") == []
    assert wheel_faults([*WHEEL[1:], "tests/conftest.py", "grapevine/built/widget/notes.txt"], TRACKED, "1.0") == [
        "is missing: grapevine/__init__.py",
        "does not belong there: grapevine/built/widget/notes.txt",
        "does not belong there: tests/conftest.py",
    ]
    assert sdist_faults([*TRACKED, "PKG-INFO"], TRACKED) == []
    assert sdist_faults([*TRACKED[:-1], "secret-keys", "PKG-INFO"], TRACKED) == [
        "is missing: tests/conftest.py",
        "does not belong there: secret-keys",
    ]


def test_a_version_without_a_section_in_the_changelog_is_no_release(capsys: pytest.CaptureFixture[str]) -> None:
    text = "# Changelog\n\n## [Unreleased]\n\n## [1.0] – 2026-11-30\n\n- All of it.\n"
    check_changelog(Checks(), "1.0", text)
    assert "note" not in capsys.readouterr().out
    with pytest.raises(SystemExit, match=r"CHANGELOG.md has a section for 1.1"):
        check_changelog(Checks(), "1.1", text)
    check_changelog(Checks(), "1.0", text.replace("2026-11-30", "unreleased").replace("d]\n", "d]\n\n- More.\n"))
    said = capsys.readouterr().out
    assert said.count("note") == 2
