"""Only the commands that are meant to make a database make one; each of the others says where it looked."""

from __future__ import annotations

import asyncio
import re
import shlex
from pathlib import Path

import pytest

from grapevine.config.settings import Settings
from grapevine.store.factory import schema_version
from tests.cli.terminal import Terminal
from tests.cli.test_parser import LEAVES, examples
from tests.support.postgres import Postgres

MAKES_A_DATABASE = {"serve", "demo", "site add", "migrate", "copy", "restore"}
NEEDS_NONE = {"completion", "mcp", "receipt verify"}
SERVER = "http://127.0.0.1:9"  # nothing listens there


@pytest.mark.parametrize("path", [path for path in LEAVES if " ".join(path) not in MAKES_A_DATABASE | NEEDS_NONE])
def test_no_other_command_makes_a_file(
    path: tuple[str, ...], run: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    home = tmp_path / "home"
    missing = tmp_path / "missing" / "folder" / "grapevine.sqlite3"
    home.mkdir()
    monkeypatch.chdir(home)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("GRAPEVINE_DATABASE", f"sqlite:///{missing}")
    for example in examples(LEAVES[path]):
        words = shlex.split(re.sub(r"https?://[^/\s\"]+", SERVER, example))
        done = run(*words[1 : words.index(">") if ">" in words else None])
        assert done.status in (1, 2), example
        assert "Traceback" not in done.err
        assert not missing.parent.parent.exists()
        assert not list(home.iterdir())
        if path == ("doctor",):  # which checks more than the database
            assert f"There is no database {missing} yet." in done.out or "http" in example
        elif path != ("simulate",):  # which needs a server before the database
            assert done.out == "", example
            assert done.err.startswith(f"grapevine: there is no Grapevine database at {missing} yet. "), done.err
            assert done.err.count("\n") == 1


def test_reading_makes_no_keys_either(run: Terminal, tmp_path: Path) -> None:
    site = run.add_site()
    for command in (f"stats {site}", "cascade", "site list", f"export {site} visits", "doctor"):
        assert run(*command.split()).status == 0, command
    assert run("token", "inspect", "0" * 23).status == 1
    assert not (tmp_path / "secret-keys").exists()


def test_an_empty_file_is_no_database(run: Terminal, tmp_path: Path) -> None:
    file = tmp_path / "grapevine.sqlite3"
    file.touch()
    assert "there is no Grapevine database" in run("site", "list").err
    assert file.stat().st_size == 0


@pytest.mark.postgres
def test_nor_are_tables_made_in_postgresql(
    run: Terminal, postgres_server: Postgres, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = postgres_server.url(postgres_server.create())
    monkeypatch.setenv("GRAPEVINE_DATABASE", url)
    monkeypatch.setenv("GRAPEVINE_SECRET_KEYS", "a-key-that-all-processes-share")
    for command in ("site list", "stats Lees", "cascade"):
        done = run(*command.split())
        assert (done.status, done.out) == (1, "")
        assert "there is no Grapevine database at postgresql://" in done.err
    assert asyncio.run(schema_version(Settings(database=url))) == 0


def test_without_a_home_the_database_has_to_be_named(run: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_entry() -> Path:
        raise RuntimeError("Could not determine home directory.")

    monkeypatch.delenv("HOME")
    monkeypatch.delenv("XDG_DATA_HOME", raising=False)
    monkeypatch.setattr(Path, "home", no_entry)
    assert run("migrate").status == 0  # GRAPEVINE_DATABASE names it
    monkeypatch.delenv("GRAPEVINE_DATABASE")
    for more in ({}, {"HOME": "relative"}, {"XDG_DATA_HOME": "relative"}):
        for name, value in more.items():
            monkeypatch.setenv(name, value)
        done = run("migrate")
        assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
        assert "GRAPEVINE_DATABASE is not set, and this user has no home folder" in done.err


def test_the_exceptions_are_commands() -> None:
    assert {" ".join(path) for path in LEAVES} >= MAKES_A_DATABASE | NEEDS_NONE
