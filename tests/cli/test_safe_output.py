"""What a visitor wrote cannot do anything to the terminal on which it is read."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from io import StringIO
from pathlib import Path

import pytest
from rich.progress import Progress

from grapevine.cli.context import CommandContext
from tests.cli.terminal import Terminal

HOSTILE = "\x1b]0;owned\x07\x1b[31m\x9b31m\x9d0;x\x9c\x7f\u202egnp.exe\u2066\u2069\u200e\u200f\u061c\u2028\r\x00\x08"
DANGER = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")
COMMANDS = (
    "stats SITE", "stats SITE --json", "cascade ROOT", "cascade ROOT --json", "token inspect TOKEN",
    "token inspect TOKEN --json", "token inspect HOSTILE", "token inspect HOSTILE --json", "site list",
    "site list --json", "key list SITE", "key list SITE --json", "key revoke HOSTILE", "doctor",
    "doctor --json", "cascade HOSTILE",
    "stats HOSTILE", "stats SITE --from HOSTILE", "export SITE visits", "export SITE visits --format csv",
    "export SITE conversions --format csv", "export SITE answers --format csv", "export SITE answers",
    "export SITE shares --format csv", "export SITE cascades --format csv", "export SITE cascades",
)  # fmt: skip


@pytest.fixture
def names(run: Terminal, tmp_path: Path) -> dict[str, str]:
    """A site whose every text is hostile, as an older version may have stored it."""
    site = run.add_site()
    first, _, last = run.chain(site)
    text = HOSTILE.replace("\x00", "")
    with closing(sqlite3.connect(tmp_path / "grapevine.sqlite3", isolation_level=None)) as database:
        database.execute("UPDATE pages SET url = url || ?, title = ?", (f"?{text}", f"={text}"))
        database.execute("UPDATE sites SET name = ?", (text,))
        database.execute("UPDATE api_keys SET name = ?", (text,))
        (row,) = database.execute("SELECT site_id, visit_id, cell FROM visits LIMIT 1").fetchall()
        for table, more in (
            ("conversions (goal, external_id, at, event_key", (text, text, 1, 1)),
            ("answers (text, contact, at, event_key", (text, text, 1, 1)),
        ):
            marks = ", ".join("?" * (len(row) + len(more)))
            database.execute(f"INSERT INTO {table}, site_id, visit_id, cell) VALUES ({marks})", (*more, *row))
        database.execute("UPDATE counts_page SET visits = visits + 1")  # so that doctor names a page
    return {"SITE": site, "ROOT": first["visit"], "TOKEN": last["tokens"]["copy"], "HOSTILE": text}


@pytest.mark.parametrize("command", COMMANDS)
def test_no_command_lets_it_through(command: str, run: Terminal, names: dict[str, str]) -> None:
    done = run(*(names.get(word, word) for word in command.split()))
    assert done.out or done.err
    assert not DANGER.search(done.out.replace("\r\n", "\n"))
    assert not DANGER.search(done.err)
    assert "Traceback" not in done.err


def test_what_was_written_is_still_told_apart(run: Terminal, names: dict[str, str]) -> None:
    assert "\\u001b[31m\\u009b31m" in run("token", "inspect", names["TOKEN"]).out
    (site,) = run("site", "list", "--json").json
    assert site["name"] == names["HOSTILE"]


def test_colours_of_our_own_stay(monkeypatch: pytest.MonkeyPatch) -> None:
    stream = StringIO()
    monkeypatch.setattr(stream, "isatty", lambda: True)
    monkeypatch.setattr("sys.stdout", stream)
    monkeypatch.setenv("TERM", "xterm-256color")
    console = CommandContext({}, None).out
    console.print(HOSTILE, style="bold red")
    with Progress(console=console) as progress:
        progress.add_task(HOSTILE, total=1)
    written = stream.getvalue()
    assert "\x1b[1;31m" in written
    assert "\x1b]0;owned" not in written
    assert "\x9b" not in written
    assert "\u202e" not in written
    assert "\x1b[31m" not in written


@pytest.mark.parametrize("table", ["sites", "counts_day", "visits", "api_keys"])
def test_a_damaged_file_is_one_line(run: Terminal, tmp_path: Path, table: str) -> None:
    site = run.add_site()
    root = run.chain(site)[0]["visit"]
    path = tmp_path / "grapevine.sqlite3"
    with closing(sqlite3.connect(path)) as database:
        ((page, size),) = database.execute(
            "SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size WHERE name = ?", (table,)
        )
    content = bytearray(path.read_bytes())
    content[(page - 1) * size : page * size] = b"\xff" * size
    path.write_bytes(content)
    failed = 0
    for command in (f"stats {site}", f"cascade {root}", "site list", f"key list {site}", f"export {site} visits"):
        done = run(*command.split())
        if done.status:
            failed += 1
            assert done.status == 1, command
            assert done.err.startswith(f"grapevine: the database file {path} is damaged"), done.err
            assert done.err.count("\n") == 1
    assert failed
