"""Every command in the documentation: those in `console` blocks are run, those in `sh` blocks and in sentences parsed.

No command escapes: a block of any other language must hold none, and a program that this file does not know fails.
"""

from __future__ import annotations

import re
import shlex
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final, NamedTuple

import pytest

from grapevine.cli.parser import build_parser
from grapevine.config.settings import CLIENT_VARIABLES, SETTINGS
from tests.cli.terminal import Terminal

ROOT: Final = Path(__file__).resolve().parents[2]
PAGES: Final = sorted(
    path.relative_to(ROOT)
    for path in (*ROOT.glob("*.md"), ROOT / "tests/README.md", ROOT / "widget/README.md", *ROOT.glob("docs/**/*.md"))
    # Both tell what was true at a time.
    if path.name != "CHANGELOG.md" and path.parent.name != "decisions"
)
BLOCK: Final = re.compile(r"^( *)```(\w*)\n(.*?)^ *```", re.MULTILINE | re.DOTALL)
OWN: Final = ("grapevine", "grapevine-share")
OTHER_PROGRAMS: Final = {
    "apt", "apt-get", "caddy", "cat", "chmod", "chown", "claude", "cp", "curl", "docker", "git", "install",
    "journalctl", "mkdir", "nginx", "openssl", "pip", "pipx", "psql", "python", "python3", "su", "sudo", "systemctl",
    "useradd", "uv", "uvicorn",
}  # fmt: skip
"""Only the shell's syntax is checked of these."""
PROGRAM: Final = "|".join(map(re.escape, sorted({*OWN, *OTHER_PROGRAMS, "make", "pytest", "uvx"})))
COMMAND_ELSEWHERE: Final = re.compile(rf"^\s*(?:\$ |(?:[A-Z_]+=\S* )*(?:{PROGRAM}) +(?![:=]))", re.MULTILINE)
IN_A_SENTENCE: Final = re.compile(
    r"(?<!`)`grapevine ((?:site|key|token|links|serve|stats|cascade|demo|migrate|secret|copy|backup|restore|doctor"
    r"|erase|mcp)[^`\n]*)`"
)
SETTING_NAMES: Final = {setting.variable + end for setting in SETTINGS for end in ("", "_FILE")}


class Block(NamedTuple):
    """A fenced block of a page."""

    page: Path
    language: str
    text: str


def blocks(page: Path) -> Iterator[Block]:
    for match in BLOCK.finditer((ROOT / page).read_text("utf-8")):
        yield Block(page, match[2], match[3])


def commands(text: str) -> Iterator[list[str]]:
    """The words of each command; lines that end with a backslash go on, and `&&` and `|` join two commands."""
    for line in text.replace("\\\n", " ").splitlines():
        words = shlex.split(line, comments=True)
        while words:
            end = next((at for at, word in enumerate(words) if word in ("&&", "|", "||")), len(words))
            yield words[:end]
            words = words[end + 1 :]


def check(words: Sequence[str]) -> None:
    """Fails for a command that could not be typed as it stands."""
    rest = list(words)
    if rest[0] == "sudo":
        rest = rest[3:] if rest[1] == "-u" else rest[1:]
    while re.fullmatch(r"[A-Z_]+=.*", rest[0]):
        check_variable(rest.pop(0))
    program, *arguments = rest[0].rpartition("/")[2], *rest[1:]
    if ">" in arguments:
        arguments = arguments[: arguments.index(">")]
    if program == "uvx":
        program, *arguments = arguments[2:] if arguments[:2] == ["--from", "."] else arguments
        assert program == "grapevine-share", words
    if program in OWN:
        build_parser().parse_args(arguments)
    elif program == "make":
        makefile = (ROOT / "Makefile").read_text("utf-8")
        targets = [word for word in arguments if "=" not in word]
        assert targets, words
        assert all(re.search(rf"^{target}:", makefile, re.MULTILINE) for target in targets), words
    elif program.endswith("pytest") or "pytest" in arguments:
        paths = [word for word in arguments if word.startswith("tests/")]
        assert paths, words
        assert all((ROOT / path).exists() for path in paths), words
    else:
        assert program in OTHER_PROGRAMS, f"{program}: is it a program? Then name it in this file"


def check_variable(assignment: str) -> None:
    """Fails for an environment variable that would be refused."""
    name = assignment.partition("=")[0]
    ours = SETTING_NAMES | CLIENT_VARIABLES | {"GRAPEVINE_TEST_CITUS"}
    known = not name.startswith("GRAPEVINE_") or name in ours
    assert known, f"{name} is no setting"


def check_unit(text: str) -> None:
    """Fails for a unit of systemd with a setting or a command that does not exist; others' commands are not checked."""
    for key, value in re.findall(r"^(Environment|ExecStart)=(.*)$", text, re.MULTILINE):
        if key == "Environment":
            check_variable(value)
        elif value.split()[0].endswith("/grapevine"):
            check(value.split())


def check_settings(text: str) -> None:
    """Fails for a settings file that would be refused."""
    unknown = tomllib.loads(text).keys() - {setting.name for setting in SETTINGS}
    assert not unknown, f"{unknown} are no settings"


@pytest.mark.parametrize("page", PAGES, ids=str)
def test_every_command_could_be_typed(page: Path) -> None:
    for block in blocks(page):
        if block.language == "sh":
            for words in commands(block.text):
                check(words)
        elif block.language in ("ini", "toml"):
            {"ini": check_unit, "toml": check_settings}[block.language](block.text)
        elif block.language != "console":
            found = COMMAND_ELSEWHERE.search(block.text)
            assert found is None, f"a command in a block that is neither `sh` nor `console`: {found[0]}"
    text = re.sub("^#.*", "", (ROOT / page).read_text("utf-8"), flags=re.MULTILINE)
    for match in IN_A_SENTENCE.finditer(text):
        if not re.search(r"[…\[|]", match[1]) and len(match[1].split()) > 2:  # not named in passing
            build_parser().parse_args(shlex.split(match[1]))


@pytest.mark.parametrize(
    "page", [page for page in PAGES if any(block.language == "console" for block in blocks(page))], ids=str
)
def test_every_command_of_a_console_runs(page: Path, run: Terminal) -> None:
    lines = [line for block in blocks(page) if block.language == "console" for line in block.text.splitlines()]
    typed = [line[2:] for line in lines if line.startswith("$ ")]
    assert typed
    site = run.add_site()
    first, middle, last = run.chain(site)
    key = run("key", "list", site, "--json").json[0]["id"]
    stands_for = {"SITE": site, "TOKEN": last["tokens"]["copy"], "ROOT": first["visit"], "KEY_ID": key}
    stands_for["VISIT"] = middle["visit"]
    for command in typed:
        program, *arguments = shlex.split(command)
        assert program in OWN, command
        done = run(*(stands_for.get(word, word) for word in arguments))
        assert (done.status, command) == (0, command), done.err


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("grapevine site ad X", "site ad"),
        ("GRAPEVINE_BASE_URI=x grapevine serve", "no setting"),
        ("make everything", "everything"),
        ("uvx another-package demo", "another-package"),
        ("pytest tests/nowhere", "nowhere"),
        ("grapevin serve", "name it"),
    ],
)
def test_a_wrong_command_is_found(text: str, wrong: str, capsys: pytest.CaptureFixture[str]) -> None:
    (words,) = commands(text)
    with pytest.raises((AssertionError, SystemExit)) as raised:
        check(words)
    assert wrong.split()[-1] in f"{raised.value}{capsys.readouterr().err}"


def test_a_wrong_file_is_found() -> None:
    with pytest.raises(AssertionError, match="base_uri"):
        check_settings('base_uri = "x"')
    with pytest.raises(AssertionError, match="no setting"):
        check_unit("Environment=GRAPEVINE_BASE_URI=x")
    with pytest.raises(SystemExit):
        check_unit("ExecStart=/opt/bin/grapevine serv")


@pytest.mark.parametrize("text", ["$ anything", "pip install .", "GRAPEVINE_LOG=json grapevine serve", "  curl x"])
def test_a_command_in_a_block_of_another_language_is_found(text: str) -> None:
    assert COMMAND_ELSEWHERE.search(text)
    assert not COMMAND_ELSEWHERE.search(text.replace(" ", "_"))


def test_pages_are_found() -> None:
    assert {"README.md", "docs/command-line.md", "docs/settings.md", "widget/README.md"} <= set(map(str, PAGES))
