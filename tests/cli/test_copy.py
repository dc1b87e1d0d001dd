"""``grapevine copy`` as people run it: its output, its exit status, and interruptions."""

from __future__ import annotations

import json
import os
import pty
import re
import shlex
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any, Final, NamedTuple

import pytest

from grapevine.cli import main
from grapevine.store.copy.copier import CopySummary
from grapevine.writer.nonces import GUARD_VIEW
from tests.support.postgres import Postgres

ROWS: Final = 30_000
KEYS: Final = "a-secret-key-for-these-tests"
IN_SMALL_PAGES: Final = """
import signal, sys, grapevine.store.copy.postgres as database, grapevine.store.copy.sqlite as file
from grapevine.cli import main
database.PAGE = file.PAGE = 100
signal.signal(signal.SIGINT, signal.default_int_handler)  # what runs the tests may ignore it, which is inherited
sys.exit(main(sys.argv[1:]))
"""


class CopyOutput(NamedTuple):
    """The exit status and the output of a command."""

    status: int
    out: str
    err: str


class CopyTerminal:
    """Runs commands; the source has a site and many guards, which expire in no time that matters."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder = folder
        self.source = f"sqlite:///{folder}/source.sqlite3"
        self._capture = capture
        self._monkeypatch = monkeypatch
        self.site: dict[str, str] = json.loads(
            self("site", "add", "Lees", "--origin", "https://a.example", "--json").out
        )
        rows = ((1, GUARD_VIEW, number, 0, 1 << 50) for number in range(ROWS))
        with closing(sqlite3.connect(folder / "source.sqlite3")) as connection, connection:
            connection.executemany("INSERT INTO guards VALUES (?, ?, ?, ?, ?, NULL, NULL, NULL)", rows)

    def __call__(self, *arguments: str, database: str | None = None) -> CopyOutput:
        self._capture.readouterr()
        self._monkeypatch.setenv("GRAPEVINE_DATABASE", database or self.source)
        try:
            status = main(arguments)
        except SystemExit as exit_:
            status = int(exit_.code or 0)
        return CopyOutput(status, *self._capture.readouterr())

    def copy(self, source: str, target: str, *options: str) -> CopyOutput:
        return self("copy", "--from", source, "--to", target, *options)

    def file(self, name: str) -> str:
        return f"sqlite:///{self.folder / name}.sqlite3"


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> CopyTerminal:
    return CopyTerminal(tmp_path, capsys, monkeypatch)


@pytest.fixture
def database(postgres_server: Postgres) -> Iterator[str]:
    """An empty database, without a schema."""
    name = postgres_server.create()
    yield postgres_server.url(name)
    postgres_server.drop(name)


def started(*arguments: str, stderr: int = subprocess.PIPE) -> subprocess.Popen[str]:
    return subprocess.Popen(  # noqa: S603
        [sys.executable, "-c", IN_SMALL_PAGES, *arguments], stdout=subprocess.PIPE, stderr=stderr, text=True
    )


def test_there_and_back(run: CopyTerminal, database: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPEVINE_SECRET_KEYS", KEYS)
    listed = run("site", "list", "--json").out
    there = run.copy(run.source, database)
    assert there.status == 0
    assert re.fullmatch(
        r"Copied 30,003 rows of 4 tables from sqlite:///\S+/source.sqlite3 to postgresql:///\w+: [\d.]+ s, "
        r"[\d,]+ rows/s\.\nCompared every row of both; all are the same: [\d.]+ s, [\d,]+ rows/s\.\n"
        r"What a server stored in sqlite:///\S+/source.sqlite3 after the copy had begun is not in postgresql:///\w+\.\n"
        r"What tokens are signed with is not in the database: .*\n",
        there.out,
    )
    assert "Copying guards: 30,000 rows\n" in there.err
    assert "Comparing sites: 1 row\n" in there.err
    assert run("site", "list", "--json", database=database).out == listed
    assert "WRONG" not in run("doctor", database=database).out
    back = run.copy(database, run.file("back"), "--json")
    assert back.status == 0
    assert run("site", "list", "--json", database=run.file("back")).out == listed
    found = json.loads(back.out)
    assert (found["verified"], found["rows"]) == (True, 30_003)
    assert {"table": "guards", "rows": ROWS} in found["tables"]


def test_json_is_what_the_documentation_says(project_root: Path) -> None:
    text = (project_root / "docs/command-line.md").read_text("utf-8")
    (section,) = re.findall(r"^## `grapevine copy(?:(?!^## ).*\n)*", text, re.MULTILINE)
    for name in CopySummary.__struct_fields__:
        assert f'"{name}"' in section


@pytest.mark.parametrize("page", ["command-line.md", "moving.md"])
def test_documented_commands_run(page: str, run: CopyTerminal, database: str, project_root: Path) -> None:
    commands = re.findall(r"^ *grapevine (copy .*)$", (project_root / "docs" / page).read_text("utf-8"), re.MULTILINE)
    assert commands
    stands_for = {
        "sqlite:////var/lib/grapevine/grapevine.sqlite3": run.source,
        "postgresql://grapevine@db/grapevine": database,
        "sqlite:////var/lib/grapevine/back.sqlite3": run.file("back"),
    }
    for command in commands:
        done = run(*(stands_for.get(word, word) for word in shlex.split(command)))
        assert (done.status, command) == (0, command), done.err


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        ((), "the following arguments are required: --from, --to"),
        (("--from", "sqlite:///x.sqlite3"), "the following arguments are required: --to"),
        (("--from", "mysql://a/b", "--to", "sqlite:///x"), "argument --from: is no database 'mysql://a/b'"),
        (("--from", "sqlite:///x", "--to", "postgresql://u:pw@host"), "argument --to: names no database"),
    ],
)
def test_wrong_usage(arguments: tuple[str, ...], says: str, run: CopyTerminal) -> None:
    done = run("copy", *arguments)
    assert (done.status, done.out) == (2, "")
    assert says in done.err
    assert "pw" not in done.err


def test_refusals_are_one_line(run: CopyTerminal) -> None:
    assert run.copy(run.file("none"), run.file("new")) == CopyOutput(
        1, "", f"grapevine: there is nothing to copy in {run.folder}/none.sqlite3: it is no store\n"
    )
    assert run.copy(run.source, run.source).err.endswith("are the same database\n")
    unreachable = run.copy(run.source, f"postgresql://somebody:password@/x?host={run.folder}")
    assert unreachable.status == 1
    assert unreachable.err.count("\n") == 1
    assert "run the same command again" in unreachable.err
    assert "password" not in unreachable.err


def test_rows_that_differ(run: CopyTerminal) -> None:
    empty = run("migrate", database=run.file("new"))
    assert empty.status == 0
    trigger = (
        "CREATE TRIGGER changes AFTER INSERT ON sites BEGIN UPDATE guards SET expires_at = 5 WHERE guard_key = 17; END"
    )
    with closing(sqlite3.connect(run.folder / "new.sqlite3")) as connection, connection:
        connection.execute(trigger)
    done = run.copy(run.source, run.file("new"))
    assert done.status == 1
    assert "Compared" not in done.out
    *_, count, difference, advice = done.err.splitlines()
    assert count.endswith("differ:")
    assert "1 row of " in count
    assert difference == "grapevine: - guards (site_id 1, kind 2, guard_key 17, cell 0): not the same expires_at"
    assert advice.endswith("run the same again, which starts over")
    done = run.copy(run.source, run.file("new"), "--json")
    assert done.status == 1
    assert json.loads(done.out)["differences"] == [
        {
            "table": "guards",
            "where": "guards (site_id 1, kind 2, guard_key 17, cell 0)",
            "what": "different",
            "columns": ["expires_at"],
        }
    ]
    with closing(sqlite3.connect(run.folder / "new.sqlite3")) as connection, connection:
        connection.execute("DROP TRIGGER changes")
    assert run.copy(run.source, run.file("new")).status == 0


def interrupt(source: str, target: str, line: str) -> str:
    """Starts a copy and presses Ctrl+C when it prints ``line``; returns what it prints then."""
    with started("copy", "--from", source, "--to", target) as process:
        assert process.stderr
        while not process.stderr.readline().startswith(line):
            pass
        process.send_signal(signal.SIGINT)
        said = process.stderr.read()
    assert process.returncode == 130, said
    return said


@pytest.mark.parametrize("way", ["there", "back"])
@pytest.mark.process
def test_interrupted_and_run_again(way: str, run: CopyTerminal, database: str) -> None:
    source, target = run.source, database
    if way == "back":
        assert run.copy(run.source, database).status == 0
        source, target = database, run.file("back")
    for line in ("Copying guards", "Comparing guards"):
        said = interrupt(source, target, line)
        assert "grapevine: interrupted; run the same command again, which starts over\n" in said
        assert "Traceback" not in said
    assert run.copy(source, target).out.startswith("Copied 30,003 rows of 4 tables")


@pytest.mark.parametrize("way", ["there", "back"])
@pytest.mark.process
def test_no_command_opens_an_unfinished_copy(
    way: str, run: CopyTerminal, database: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    source, target = run.source, database
    if way == "back":
        assert run.copy(run.source, database).status == 0
        source, target = database, run.file("back")
    interrupt(source, target, "Copying guards")
    monkeypatch.setenv("GRAPEVINE_SECRET_KEYS", KEYS)
    workers = "2" if way == "there" else "1"
    for command in (("serve", "--port", "0", "--workers", workers), ("site", "list"), ("migrate",)):
        refused = run(*command, database=target)
        assert (refused.status, refused.out, refused.err.count("\n")) == (1, "", 1)
        assert refused.err.startswith("grapevine: the database ")
        assert refused.err.endswith(" is an unfinished copy: run the same grapevine copy again, which starts over\n")
    done = run("doctor", "--json", database=target)
    assert done.status == 1
    wrong = {one["check"]: one for one in json.loads(done.out)["checks"] if not one["ok"]}
    assert set(wrong) == {"schema"}
    assert wrong["schema"]["says"] == "It is an unfinished copy, so its rows are missing."
    assert wrong["schema"]["fix"].startswith("Run the same grapevine copy again, which starts over")
    assert run.copy(source, target).status == 0
    assert run("doctor", database=target).out.endswith("All is well.\n")


@pytest.mark.process
def test_a_bar_on_a_terminal(run: CopyTerminal) -> None:
    ours, its = pty.openpty()
    try:
        with started("copy", "--from", run.source, "--to", run.file("new"), stderr=its) as process:
            os.close(its)
            shown = b"".join(iter(lambda: _read(ours), b"")).decode()
            assert process.stdout
            assert process.stdout.read().startswith("Copied 30,003 rows")
    finally:
        os.close(ours)
    assert process.returncode == 0
    last: list[Any] = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "\n").splitlines()
    assert any(re.match(r"Copying +━+ 100 % 30,003 of 30,003", line) for line in last)
    assert any(re.match(r"Comparing ━+ 100 % 30,003 of 30,003", line) for line in last)


def _read(terminal: int) -> bytes:
    try:
        return os.read(terminal, 4096)
    except OSError:  # the other end is closed
        return b""
