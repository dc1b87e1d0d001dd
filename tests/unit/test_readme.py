"""The README tells the truth: its commands run, its links lead somewhere, its figures are what the build prints."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from build import BUDGETS


@pytest.fixture(scope="module")
def readme(project_root: Path) -> str:
    return (project_root / "README.md").read_text("utf-8")


def shell_lines(text: str) -> list[str]:
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL)
    return [line.partition("#")[0].strip() for block in blocks for line in block.splitlines() if line.strip()]


def test_every_make_target_exists(readme: str, project_root: Path) -> None:
    targets = [line.split()[1] for line in shell_lines(readme) if line.startswith("make ")]
    assert set(targets) == {"demo", "test-fast", "test", "test-slow", "test-engines", "check", "bench", "release-check"}
    makefile = (project_root / "Makefile").read_text("utf-8")
    assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets)


def _anchors(page: Path) -> set[str]:
    """The anchors of a page's headings, as GitHub makes them."""
    text = re.sub(r"^```.*?^```", "", page.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    titles = (re.sub(r"\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in re.findall(r"^#+ (.*)$", text, re.MULTILINE))
    return {re.sub(r"[^\w\- ]", "", title.strip().lower()).replace(" ", "-") for title in titles}


def test_every_link_to_a_section_leads_to_its_heading(project_root: Path) -> None:
    pages = (*project_root.glob("*.md"), project_root / "widget/README.md", *project_root.glob("docs/**/*.md"))
    wrong = []
    for page in pages:
        for name, anchor in re.findall(r"\]\((?!\w+:)([^)#]*)#([^)]+)\)", page.read_text("utf-8")):
            target = page.parent / name if name else page
            if target.suffix == ".md" and anchor not in _anchors(target):
                wrong.append(f"{page.name}: {name}#{anchor}")
    assert wrong == []


def test_the_index_of_the_documentation_names_every_page(project_root: Path) -> None:
    folder = project_root / "docs"
    pages = {path.relative_to(folder).as_posix() for path in folder.glob("*.md")} - {"README.md"}
    pages |= {path.relative_to(folder).as_posix() for path in folder.glob("*/README.md")}
    linked = set(re.findall(r"\]\(([^)#:]+)\)", (folder / "README.md").read_text("utf-8")))
    assert pages - linked == set()


def test_each_tool_of_the_comparison_has_a_source(project_root: Path) -> None:
    text = (project_root / "docs/comparison.md").read_text("utf-8")
    rows = [line for line in text.splitlines() if line.startswith("| ") and not line.startswith("| tool |")]
    assert len(rows) > 10
    assert [row for row in rows if "](https://" not in row] == []
    assert re.search(r"read on \*\*20\d\d-\d\d-\d\d\*\*", text)


@pytest.mark.process
def test_the_commands_of_a_new_user_lead_to_a_served_widget(readme: str, tmp_path: Path) -> None:
    lines = [line for line in shell_lines(readme) if line.startswith("grapevine ")]
    assert [line.split()[1] for line in lines] == ["site", "serve"]
    site, serve = ([sys.executable, "-m", *_words(line)] for line in lines)
    environment = dict(os.environ) | {"GRAPEVINE_DATABASE": f"sqlite:///{tmp_path}/new.sqlite3"}
    added = subprocess.run(site, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    assert set(json.loads(added.stdout)) == {"site", "key", "snippet"}
    server = subprocess.Popen(  # noqa: S603
        [*serve, "--port", "0"], env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    )
    try:
        assert server.stdout is not None
        address = re.search(r"http://\S+", server.stdout.readline())
        assert address
        with urllib.request.urlopen(f"{address[0]}/widget.js") as response:  # noqa: S310
            assert response.status == 200
    finally:
        server.send_signal(signal.SIGTERM)
        server.communicate(timeout=60)
    assert server.returncode == 0


def test_the_snippet_is_what_site_add_prints(readme: str) -> None:
    assert '<script async src="https://share.example.com/widget.js" data-site="SITE_KEY"></script>' in readme


def test_the_widgets_size_is_what_the_build_measured(readme: str, project_root: Path) -> None:
    built = json.loads((project_root / "server/grapevine/built/widget/manifest.json").read_text("utf-8"))
    alone, whole = built["measured"]["widget"], built["measured"]["widget + buttons"]
    assert f"fails above {BUDGETS['widget']:,} and {BUDGETS['widget + buttons']:,})" in readme
    assert f"| **Grapevine**, tracking and copying alone | **{alone:,}** |" in readme
    assert f"| **Grapevine**, with the default buttons | **{whole:,}** |" in readme


def test_every_link_inside_the_project_leads_to_a_file(project_root: Path) -> None:
    pages = (project_root / "README.md", project_root / "widget/README.md", *project_root.glob("docs/**/*.md"))
    pattern = r"\]\((?!\w+:|#)([^)#]+)|src(?:set)?=\"(?!\w+:|/)([^\"]+\.png)\""
    links = [(page, one or other) for page in pages for one, other in re.findall(pattern, page.read_text("utf-8"))]
    assert links
    assert [f"{page.name}: {link}" for page, link in links if not (page.parent / link).exists()] == []


def _words(line: str) -> list[str]:
    return [word.strip('"') for word in re.findall(r'"[^"]*"|\S+', line)]
