"""The distribution is called grapevine-share: another package has the name grapevine."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

SUFFIXES = {".py", ".md", ".html", ".js", ".toml", ".sql", ".yaml", ".yml", ""}
FOLDERS = ("server/grapevine", "docs", "demo_site", "tests", "widget/src", ".ci")
OTHERS_PACKAGE = re.compile(
    r"(?:pip3? install|uvx|pipx \w+|uv tool \w+|uv pip install) (?:-\S+ )*['\"]?grapevine(?!-share)\b"
)
EXTRA = re.compile(r"\bgrapevine\[[a-z]")


def texts(root: Path) -> list[Path]:
    """Every text that a user or a developer reads."""
    files = list(root.iterdir())
    files += [file for folder in FOLDERS for file in (root / folder).rglob("*")]
    return [
        file
        for file in files
        if file.is_file() and file.suffix in SUFFIXES and not {"built", "__pycache__"} & set(file.parts)
    ]


def test_the_distribution_and_its_commands(project_root: Path) -> None:
    project = tomllib.loads((project_root / "pyproject.toml").read_text("utf-8"))["project"]
    assert project["name"] == "grapevine-share"
    assert project["scripts"] == {"grapevine": "grapevine.cli:main", "grapevine-share": "grapevine.cli:main"}
    assert set(project["optional-dependencies"]) == {"postgres", "parquet", "mcp", "signatures"}


def test_no_text_installs_the_foreign_package(project_root: Path) -> None:
    found = [file for file in texts(project_root) if file != Path(__file__).resolve()]
    assert len(found) > 500
    wrong = [
        f"{file.relative_to(project_root)}: {match[0]}"
        for file in found
        for pattern in (OTHERS_PACKAGE, EXTRA)
        for match in pattern.finditer(
            file.read_text("utf-8", errors="replace")
        )  # some mails of tests are in other encodings
    ]
    assert wrong == []


def test_the_patterns_find_what_is_wrong() -> None:
    for text in (
        "pip install grapevine",
        "pip install 'grapevine[postgres]'",
        "pip install -U grapevine",
        "uvx grapevine demo",
    ):
        assert OTHERS_PACKAGE.search(text), text
    assert EXTRA.search("needs grapevine[parquet]")
    for text in ("pip install grapevine-share", "pip install 'grapevine-share[postgres]'", "uvx grapevine-share demo"):
        assert not OTHERS_PACKAGE.search(text), text
        assert not EXTRA.search(text), text
