"""``grapevine site delete``: what it says, asks and refuses, on a terminal and without one."""

from __future__ import annotations

import asyncio
import csv
import io
import signal
import sqlite3
import stat
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from grapevine.exports import TABLES
from grapevine.sites import deletion
from tests.cli.terminal import Terminal, findings


class Keyboard(io.StringIO):
    """What is typed on a terminal, line by line."""

    def isatty(self) -> bool:
        return True


def on_a_terminal(monkeypatch: pytest.MonkeyPatch, *typed: str) -> None:
    monkeypatch.setattr(sys, "stdin", Keyboard("".join(f"{line}\n" for line in typed)))
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)


def stored(run: Terminal, query: str) -> list[tuple[Any, ...]]:
    with closing(sqlite3.connect(run.settings.database.removeprefix("sqlite:///"))) as file:
        return file.execute(query).fetchall()


@pytest.fixture
def lees(run: Terminal) -> str:
    """A site with three visits and two shares; another one beside it."""
    site = run.add_site()
    run.add_site("Other")
    run.chain(site)
    return site


def gone(run: Terminal, site: str) -> bool:
    return site not in [found["site"] for found in run("site", "list", "--json").json]


def test_on_a_terminal_it_says_what_there_is_and_asks_twice(
    run: Terminal, lees: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    on_a_terminal(monkeypatch, "yes", "Lees")
    done = run("site", "delete", lees)
    assert (done.status, done.err) == (0, "")
    day = done.out.partition("from ")[2][:10]
    assert done.out == (
        f"This deletes the site Lees ({lees}) with everything that was measured on it:\n"
        f"  3 visits, 2 shares, 0 conversions, 0 answers, 1 API key, from {day} to {day}.\n"
        "Links that were shared from its pages lead nowhere afterwards. Only a backup brings any of it back.\n"
        f"Save its data into files first? Type yes, no, or the name of a folder [yes, into grapevine-{lees}-{day}]: "
        f"Saved in {tmp_path}/grapevine-{lees}-{day}: {', '.join(f'{table}.csv' for table in TABLES)}.\n"
        "To delete it, type the site's name (Lees): "
        "Deleted Lees with everything that was measured on it. Take its snippet out of your pages: it does nothing "
        "there any more.\n"
    )
    folder = tmp_path / f"grapevine-{lees}-{day}"
    visits = list(csv.DictReader(io.StringIO((folder / "visits.csv").read_bytes().decode("utf-8-sig"), newline="")))
    assert len(visits) == 3
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert {stat.S_IMODE(file.stat().st_mode) for file in folder.iterdir()} == {0o600}
    assert gone(run, lees)
    assert stored(run, "SELECT count(*) FROM visits") == [(0,)]
    assert [name for (name,) in stored(run, "SELECT name FROM sites")] == ["Other"]
    assert findings(run("doctor", "--json"))["counts by hour"]["ok"]


@pytest.mark.parametrize("name", ["lees", "", "Other", "Lees!"])
def test_a_wrong_name_changes_nothing(run: Terminal, lees: str, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    on_a_terminal(monkeypatch, "no", name)
    done = run("site", "delete", lees)
    assert (done.status, done.err) == (1, "")
    assert done.out.endswith("(Lees): That is not the name of the site, which is Lees. Nothing was deleted.\n")
    assert not gone(run, lees)
    assert stored(run, "SELECT count(*) FROM deleted_sites") == [(0,)]


def test_the_end_of_input_is_a_no(run: Terminal, lees: str, monkeypatch: pytest.MonkeyPatch) -> None:
    on_a_terminal(monkeypatch)
    assert run("site", "delete", lees).err == "grapevine: there was no answer. Nothing was deleted.\n"
    on_a_terminal(monkeypatch, "n")
    assert run("site", "delete", lees).status == 1
    assert not gone(run, lees)


def test_without_a_terminal_the_name_is_an_argument(run: Terminal, lees: str) -> None:
    for more in ((), ("--json",)):
        refused = run("site", "delete", lees, *more)
        assert (refused.status, refused.out) == (2, "")
        assert refused.err == (
            "grapevine: deleting a site cannot be undone, and there is nobody to ask here: confirm it with the site's "
            f"name, grapevine site delete {lees} --yes Lees\n"
        )
    wrong = run("site", "delete", lees, "--yes", "Other")
    assert (wrong.status, wrong.out) == (2, "")
    assert wrong.err == (f"grapevine: --yes says 'Other', but the site {lees} is called 'Lees'. Nothing was deleted.\n")
    assert not gone(run, lees)
    done = run("site", "delete", lees, "--yes", "Lees", "--json")
    assert done.status == 0
    report = done.json
    assert report["deleted"].pop("visits") == report["visits"] == 3
    assert (report["site"], report["name"], report["shares"], report["keys"]) == (lees, "Lees", 2, 1)
    assert report["from"] == report["to"] is not None
    assert report["exported"] == []
    assert report["deleted"]["shares"] == 2
    assert gone(run, lees)
    assert run("site", "delete", lees, "--yes", "Lees").status == 1


def test_its_data_is_saved_first_or_it_stays(run: Terminal, lees: str, tmp_path: Path) -> None:
    folder = tmp_path / "saved"
    arguments = ("site", "delete", lees, "--yes", "Lees", "--export", str(folder), "--format", "ndjson")
    folder.mkdir()
    (folder / "answers.ndjson").touch()
    refused = run(*arguments)
    assert refused.status == 2
    assert refused.err == f"grapevine: {folder}/answers.ndjson is there already; name another folder\n"
    assert not gone(run, lees)
    for file in folder.iterdir():
        file.unlink()
    assert run(*arguments).out.startswith(f"Saved in {folder}: visits.ndjson, ")
    assert len((folder / "visits.ndjson").read_bytes().splitlines()) == 3
    assert gone(run, lees)


def test_what_was_saved_before_is_not_in_the_way(
    run: Terminal, lees: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    for number in (1, 2, 3):
        on_a_terminal(monkeypatch, "", "wrong")
        assert run("site", "delete", lees).status == 1
        assert len(list(tmp_path.glob(f"grapevine-{lees}-*"))) == number


def test_an_interrupt_says_how_to_go_on(run: Terminal, lees: str, monkeypatch: pytest.MonkeyPatch) -> None:
    async def interrupt(_: float) -> None:
        signal.raise_signal(signal.SIGINT)
        await asyncio.sleep(60)

    with monkeypatch.context() as patched:
        patched.setattr(deletion.SiteDeletion.__init__, "__defaults__", (interrupt, lambda _: None))
        stopped = run("site", "delete", lees, "--yes", "Lees")
    assert (stopped.status, stopped.out) == (130, "")
    assert stopped.err == (
        "grapevine: The deletion is not finished. Nothing is counted for this site any more; to delete the rest, run "
        "the same command again.\n"
    )
    assert run("site", "delete", lees, "--yes", "Lees").status == 0


def test_a_stopped_deletion_goes_on(run: Terminal, lees: str, monkeypatch: pytest.MonkeyPatch) -> None:
    class Stopped(Exception):
        """The command ends here."""

    async def stop(_: float) -> None:
        raise Stopped

    with monkeypatch.context() as patched:
        patched.setattr(deletion.SiteDeletion.__init__, "__defaults__", (stop, lambda _: None))
        with pytest.raises(Stopped):
            run("site", "delete", lees, "--yes", "Lees")
    assert gone(run, lees)
    found = findings(run("doctor", "--json"))["deleted sites"]
    assert found["says"] == f"The deletion of Lees ({lees}) has begun and has not ended."
    assert found["fix"] == f"If it does not run at the moment, run it again: grapevine site delete {lees}"
    saved = run("site", "delete", lees, "--yes", "Lees", "--export", "elsewhere")
    assert saved.status == 2
    assert saved.err == "grapevine: the deletion of Lees has begun: what is left of it cannot be saved any more\n"
    assert run("site", "delete", "Lees", "--yes", "Lees").status == 0
    assert stored(run, "SELECT count(*) FROM visits") == [(0,)]
    assert "deleted sites" not in findings(run("doctor", "--json"))
