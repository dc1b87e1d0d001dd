"""docs/troubleshooting.md has every sentence that the widget and the server print where somebody looks for a fault."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import pytest

from grapevine import errors
from grapevine.collect import refusals
from grapevine.domain.enums import DROP_REASONS
from grapevine.errors import Invalid, Problem, TooLarge
from grapevine.keyring.keyring import signing_order
from grapevine.store.repositories.fingerprints import KnownKey

_NO_CURRENCY: Final = "must be a current code of ISO 4217, such as EUR or USD, where there is a value"
SHORTEST: Final = 12
"""Letters of a piece of a sentence that is looked for."""

STARTING: Final = (
    "config/secret_keys.py", "store/schema_version.py", "store/factory.py", "store/sqlite/version.py", "cli/serve.py",
    "serving/server.py",
)  # fmt: skip
"""Files whose refusals end a start."""
REPORTS: Final = ("collect/refusals.py", "writer/writer.py", "web/problems.py", "collect/requests.py")
"""Files whose refusals reach the console of a page."""
FOR_PEOPLE: Final = {"Busy", "BadOrigin", "GrapevineError", "RateLimited", "SettingError", "StoreError", "UnknownSite"}


@pytest.fixture(scope="module")
def page(project_root: Path) -> str:
    text = (project_root / "docs/troubleshooting.md").read_text("utf-8")
    return re.sub(r"\s+", " ", text)


def said(page: str, sentence: str) -> None:
    assert sentence in page, f"docs/troubleshooting.md lacks: {sentence}"


def test_each_refusal_of_a_report_stands_there_word_by_word(page: str) -> None:
    said(page, refusals.unknown_site("KEY").detail)
    said(page, refusals.foreign_page("https://other.example", "KEY").detail)
    said(page, refusals.foreign_page("null", "KEY").detail)
    with pytest.raises(errors.RateLimited) as limited:
        refusals.refuse_excess_reports(12)
    said(page, limited.value.detail)
    said(page, refusals.explained(TooLarge("It has more than 8,192 bytes.")).detail)
    said(page, refusals.explained(Invalid.of("currency", _NO_CURRENCY)).detail)
    said(page, refusals.explained(errors.Malformed("The body is not JSON: ")).detail.strip())


def test_the_refusal_of_other_keys_stands_there(page: str) -> None:
    with pytest.raises(errors.SettingError) as refused:
        signing_order([b"0123456789abcdef"], [KnownKey(fingerprint="other", rotation=1)])
    said(page, str(refused.value).partition(": the key")[0] + ": …")


def test_each_reason_why_a_form_is_refused_stands_there(page: str, project_root: Path) -> None:
    code = (project_root / "server/grapevine/web/dashboard/foreign_forms.py").read_text("utf-8")
    begins = {piece[:60].split("`")[0] for piece in _pieces(ast.parse(code)) if piece.startswith("Nothing was done")}
    assert len(begins) >= 5
    for beginning in begins:
        said(page, beginning)


def _pieces(node: ast.AST) -> Iterator[str]:
    """The fixed texts of an exception that is raised, without what is filled in."""
    for part in ast.walk(node):
        if isinstance(part, ast.Constant) and isinstance(part.value, str):
            yield part.value


def _raised(file: Path) -> Iterator[str]:
    for node in ast.walk(ast.parse(file.read_text("utf-8"))):
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") in FOR_PEOPLE:
            yield from (piece for argument in node.args for piece in _pieces(argument))


@pytest.mark.parametrize("name", [*STARTING, *REPORTS])
def test_each_sentence_of_a_refusal_stands_there(page: str, project_root: Path, name: str) -> None:
    pieces = [" ".join(piece.split()) for piece in _raised(project_root / "server/grapevine" / name)]
    assert pieces
    for piece in pieces:
        begins = piece[:40].strip(" ;:(`")
        if len(begins) >= SHORTEST:
            said(page, begins)


def test_each_sentence_of_the_widget_stands_there(page: str, project_root: Path) -> None:
    pieces = []
    for file in (project_root / "widget/src").rglob("*.js"):
        code = re.sub(r"/\*.*?\*/|^\s*//.*?$", "", file.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
        code = re.sub(r"(['`])\s*\+\s*\1", "", code)
        if re.search(r"\bwarn\(|\bthrow ", code):
            for literal in re.findall(r"'([^'\n]+)'|`([^`]+)`", code):
                pieces += re.split(r"\$\{.*?\}+", "".join(literal))
    sentences = [piece.strip() for piece in pieces if len(piece.split()) > 3]
    assert len(sentences) >= 8
    for sentence in sentences:
        said(page, sentence)


def _codes(kind: type[Problem]) -> Iterator[Any]:
    yield kind.code, kind.status
    for below in kind.__subclasses__():
        yield from _codes(below)


def test_each_code_stands_there_with_its_status(page: str) -> None:
    codes = set(_codes(Problem)) - {(Problem.code, Problem.status)}
    assert len(codes) > 10
    for code, status in codes:
        said(page, f"| `{code}` | {status} |")
    for reason in DROP_REASONS:
        said(page, f"`{reason}`")


def test_every_symptom_has_its_section(project_root: Path) -> None:
    text = (project_root / "docs/troubleshooting.md").read_text("utf-8")
    named = re.findall(r"^- \[[^\]]+\]\(#([a-z-]+)\)", text, re.MULTILINE)
    headings = re.findall(r"^## (.+)", text, re.MULTILINE)
    assert named == [re.sub(r"[^a-z -]", "", heading.lower()).replace(" ", "-") for heading in headings]
