"""Help, usage errors and documentation of every command and option."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from grapevine.cli.parser import build_parser
from tests.cli.terminal import Terminal


def _leaves(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001
    if not groups:
        yield path, parser
    for group in groups:
        for name, below in group.choices.items():
            yield from _leaves(below, (*path, name))


LEAVES = dict(_leaves(build_parser()))


def test_the_commands() -> None:
    assert {" ".join(path) for path in LEAVES} == {
        "serve", "demo", "site add", "site list", "site set", "site delete", "key add", "key list", "key revoke",
        "token inspect", "stats", "cascade", "erase", "export", "migrate", "secret rotate", "secret accept", "copy",
        "backup", "restore", "simulate", "doctor", "completion",
    }  # fmt: skip


@pytest.mark.parametrize("path", [(), ("site",), ("key",), ("token",), *LEAVES])
def test_help_of(path: tuple[str, ...], run: Terminal) -> None:
    done = run(*path, "--help")
    assert done.status == 0
    assert done.out.startswith(f"usage: grapevine {' '.join(path)}".rstrip())
    assert done.err == ""


def test_every_option_has_help() -> None:
    for path, parser in LEAVES.items():
        for action in parser._actions:  # noqa: SLF001
            assert action.help, (path, action.dest)


def test_every_command_and_option_is_documented(project_root: Path) -> None:
    text = (project_root / "docs/command-line.md").read_text("utf-8")
    for path, parser in LEAVES.items():
        heading = re.search(rf"^## .*`grapevine {' '.join(path)}\b.*\n(?:(?!^## ).*\n)*", text, re.MULTILINE)
        assert heading, path
        for action in parser._actions:  # noqa: SLF001
            for option in action.option_strings:
                shared = option in ("-h", "--help", "--config", "--json")
                assert shared or option in heading[0], (path, option)
    for option in ("--help", "--config", "--json", "--version"):
        assert f"`{option}" in text


@pytest.mark.parametrize(
    "arguments",
    [
        "", "nonsense", "site", "site add Lees", "serve --port 99999", "stats x --from yesterday", "demo --traffic -1",
    ],
)  # fmt: skip
def test_wrong_usage(arguments: str, run: Terminal) -> None:
    done = run(*arguments.split())
    assert done.status == 2
    assert done.out == ""
    assert "usage: grapevine" in done.err


def test_version(run: Terminal) -> None:
    assert run("--version").out == "grapevine 0.1.0\n"
