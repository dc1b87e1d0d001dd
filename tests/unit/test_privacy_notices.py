"""The texts for privacy notices say the same in each language."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

LANGUAGES: Final = ("de", "en", "es", "fr", "it")
SAME: Final = re.compile(r"\{\w+\}|</?grapevine-\w+>|Global Privacy Control|Do Not Track|\b\d+\b")
"""What stands in every language: what the site replaces, elements, signals of the browser, numbers."""
ARTICLES: Final = re.compile(r"\((?:[^()]|\([^()]*\))*?(?:DSGVO|GDPR|RGPD)(?:[^()]|\([^()]*\))*\)")
"""References to laws, which each country has its own of."""


@pytest.fixture(scope="module")
def notices(project_root: Path) -> dict[str, str]:
    folder = project_root / "docs/privacy-notices"
    found = {file.stem: file.read_text("utf-8") for file in folder.glob("*.md") if file.stem != "README"}
    assert tuple(sorted(found)) == LANGUAGES
    return found


@pytest.mark.parametrize("language", [language for language in LANGUAGES if language != "en"])
def test_each_section_names_the_same_in_each_language(notices: dict[str, str], language: str) -> None:
    assert _outline(notices[language]) == _outline(notices["en"])


def test_what_a_site_replaces_is_explained(notices: dict[str, str], project_root: Path) -> None:
    readme = (project_root / "docs/privacy-notices/README.md").read_text("utf-8")
    explained = set(re.findall(r"^\| `(\{\w+\})` \|", readme, re.MULTILINE))
    assert explained == {name for text in notices.values() for name in re.findall(r"\{\w+\}", text)}
    assert {name for name in LANGUAGES if f"]({name}.md)" in readme} == set(LANGUAGES)


def _outline(text: str) -> list[tuple[int, list[str]]]:
    """The level of each heading, and what its section must name, in any order."""
    parts = re.split(r"^(#+) [^\n]*\n", text, flags=re.MULTILINE)[1:]
    return [
        (len(level), sorted(SAME.findall(ARTICLES.sub("", body))))
        for level, body in zip(parts[::2], parts[1::2], strict=True)
    ]
