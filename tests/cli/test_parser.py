"""Help, usage errors and documentation of every command and option."""

from __future__ import annotations

import argparse
import re
import shlex
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


def examples(parser: argparse.ArgumentParser) -> list[str]:
    """Returns the command lines at the end of a help text."""
    _, found, lines = (parser.epilog or "").partition("Examples:\n")
    assert found, parser.prog
    return [line.strip() for line in lines.splitlines()]


LEAVES = dict(_leaves(build_parser()))


def test_the_commands() -> None:
    assert {" ".join(path) for path in LEAVES} == {
        "serve", "demo", "site add", "site list", "site set", "site delete", "site snippet", "key add", "key list",
        "key revoke", "token inspect", "stats", "cascade", "links create", "links list", "payouts", "links tag-html",
        "erase", "export", "feeds list", "feeds add", "feeds remove", "migrate", "conversions import",
        "secret rotate", "secret accept", "receipt verify", "copy", "import-log",
        "backup", "restore", "simulate", "doctor", "mcp", "completion",
    }  # fmt: skip


@pytest.mark.parametrize("path", [(), ("site",), ("key",), ("token",), ("links",), *LEAVES])
def test_help_of(path: tuple[str, ...], run: Terminal) -> None:
    done = run(*path, "--help")
    assert done.status == 0
    assert done.out.startswith(f"usage: grapevine {' '.join(path)}".rstrip())
    assert done.err == ""


def test_every_option_has_help() -> None:
    for path, parser in LEAVES.items():
        for action in parser._actions:  # noqa: SLF001
            assert action.help, (path, action.dest)


def _groups(parser: argparse.ArgumentParser) -> Iterator[argparse.ArgumentParser]:
    yield parser
    for action in parser._actions:  # noqa: SLF001
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for below in action.choices.values():
                yield from _groups(below)


def test_every_help_ends_with_examples_that_can_be_typed(run: Terminal) -> None:
    for parser in _groups(build_parser()):
        for example in examples(parser):
            command = example.removeprefix('eval "$(').removesuffix(')"')
            program, *words = shlex.split(command)
            assert program == "grapevine"
            parsed = build_parser().parse_args(words[: words.index(">") if ">" in words else None])
            assert parsed.parser.prog.startswith(parser.prog), example
    for columns in ("30", "200"):
        with pytest.MonkeyPatch.context() as patch:
            patch.setenv("COLUMNS", columns)
            for path, parser in LEAVES.items():
                assert run(*path, "--help").out.endswith("\n".join(f"  {line}" for line in examples(parser)) + "\n")


@pytest.mark.parametrize(
    ("arguments", "meant"),
    [
        ("sit", "'sit' is no command; did you mean `grapevine site`? The commands are serve, "),
        ("list", "did you mean `grapevine site list`?"),
        ("inspect x", "did you mean `grapevine token inspect`?"),
        ("site ad x", "'ad' is no command; did you mean `grapevine site add`? The commands are add, "),
        ("site add x --orign https://a.example", "are required: --origin; did you mean --origin instead of --orign?"),
        ("stats x --form 2026-11-01", "--form 2026-11-01; did you mean --from instead of --form?"),
        ("stats x --form=2026-11-01", "did you mean --from instead of --form?"),
        ("stats My shop", "unrecognized arguments: shop; a name with spaces needs quotes around it"),
        ("key add x --scope raed", "'raed' (choose from read, write, admin); did you mean read?"),
        ("export x vists", "did you mean visits?"),
        ("serve --prot 1", "did you mean --port instead of --prot?"),
        ("site set x colr", "'colr' is not name=value"),
        ("site set x nme", "'nme' is not name=value; did you mean name?"),
        ("xyzzy", "'xyzzy' is no command; the commands are serve"),
    ],
)
def test_what_may_have_been_meant(arguments: str, meant: str, run: Terminal) -> None:
    done = run(*arguments.split())
    assert (done.status, done.out) == (2, "")
    assert meant in " ".join(done.err.split())
    assert not meant.startswith("'xyzzy'") or "did you mean" not in done.err


@pytest.mark.parametrize("path", [(), ("site",), ("secret",)])
def test_without_a_command_the_help_lists_them(path: tuple[str, ...], run: Terminal) -> None:
    done = run(*path)
    assert (done.status, done.out) == (2, "")
    assert done.err.startswith(run(*path, "--help").out)
    assert done.err.endswith(": which command? One of those above is needed\n")


def test_settings_that_are_mistyped(run: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "g.toml").write_text('bse_url = "https://a.example"\n')
    done = run("--config", str(tmp_path / "g.toml"), "site", "list")
    assert "is no setting; did you mean base_url? The settings are database, " in done.err
    monkeypatch.setenv("GRAPEVINE_DATABSE", "sqlite:///x")
    done = run("site", "list")
    assert done.status == 2
    assert "GRAPEVINE_DATABSE is no setting; did you mean GRAPEVINE_DATABASE? The settings are" in done.err
    assert run("migrate").status == 2


def test_values_of_a_site_that_are_mistyped(run: Terminal) -> None:
    site = run.add_site()
    for change, meant in (("orign=https://b.example", "did you mean origin?"), ("place=fragmnt", "mean fragment?")):
        done = run("site", "set", site, change)
        assert (done.status, meant in done.err) == (2, True), done.err


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
