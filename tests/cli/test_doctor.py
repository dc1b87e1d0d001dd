"""The command ``doctor`` on SQLite: each fault is found and has a fix."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from grapevine.doctor import environment
from tests.cli.terminal import ORIGIN, Terminal, findings


def test_a_healthy_installation(run: Terminal) -> None:
    site = run.add_site()
    run.chain(site)
    for arguments in ((), ("--site", site)):
        done = run("doctor", *arguments)
        assert (done.status, done.err) == (0, "")
        *lines, last = done.out.splitlines()
        assert all(line.startswith("ok ") for line in lines)
        assert last == "All is well."
        assert not findings(run("doctor", *arguments, "--json"))["cascades"].keys() - {"check", "ok", "says"}
    assert run("doctor", "--site", "nobody").status == 1


def test_an_installation_that_was_never_started(run: Terminal, tmp_path: Path) -> None:
    done = run("doctor")
    assert done.status == 1
    assert "WRONG  schema: There is no database" in done.out
    assert "Fix: Start the server, or run: grapevine migrate\n" in done.out
    assert list(tmp_path.iterdir()) == []
    run("migrate")
    assert [name for name, finding in findings(run("doctor", "--json")).items() if not finding["ok"]] == ["sites"]


def test_numbers_that_are_not_what_the_rows_say(run: Terminal, tmp_path: Path) -> None:
    site = run.add_site()
    first, *_ = run.chain(site)
    with closing(sqlite3.connect(tmp_path / "grapevine.sqlite3", isolation_level=None)) as connection:
        connection.execute("UPDATE cascades SET size = 7")
        connection.execute("UPDATE counts_page SET visits = visits + 1")
        connection.execute("UPDATE counts_day SET returns = 9 WHERE dimension = 0 AND key = 0")
        connection.execute("UPDATE counts_day SET visits = 9 WHERE dimension = 3")
    found = findings(run("doctor", "--json"))
    wrong = {name: finding for name, finding in found.items() if not finding["ok"]}
    assert set(wrong) == {"cascades", "counts by page", "counts by week", "counts by day"}
    assert wrong["cascades"]["differences"] == [
        {"site": site, "root": first["visit"], "measure": "size", "stored": 7, "counted": 3}
    ]
    (page,) = wrong["counts by page"]["differences"]
    assert (page["page"], page["stored"], page["counted"]) == (f"{ORIGIN}/page", 4, 3)
    copied, hour = wrong["counts by day"]["differences"]
    assert (copied["dimension"], copied["key"], copied["measure"]) == ("channel", "copy", "returns")
    assert (hour["dimension"], hour["stored"], hour["counted"]) == ("hour", 9, 3)
    assert hour["key"] in range(24)
    shown = run("doctor")
    assert shown.status == 1
    assert f"- site {site}, day {copied['day']}, dimension channel, key copy: returns is 9," in shown.out
    assert f"- site {site}, root {first['visit']}: size is 7, the rows say 3\n" in shown.out
    assert shown.out.endswith("4 of 22 checks found something to fix.\n")


def test_a_damaged_file(run: Terminal, tmp_path: Path) -> None:
    run.chain(run.add_site())
    path = tmp_path / "grapevine.sqlite3"
    with closing(sqlite3.connect(path)) as connection:
        ((root, size),) = connection.execute(
            "SELECT rootpage, page_size FROM sqlite_schema, pragma_page_size WHERE name = 'counts_page'"
        )
    with path.open("r+b") as file:
        file.seek((root - 1) * size)
        file.write(b"\xff" * 100)
    done = run("doctor")
    assert done.status == 1
    assert "WRONG  file: " in done.out
    assert "counts by page" not in done.out


def test_a_key_file_that_others_can_read_or_that_is_gone(run: Terminal, tmp_path: Path) -> None:
    run.chain(run.add_site())
    keys = tmp_path / "secret-keys"
    keys.chmod(0o644)
    found = findings(run("doctor", "--json"))["secret keys"]
    assert "others can read the key file" in found["says"]
    keys.unlink()
    found = findings(run("doctor", "--json"))["secret keys"]
    assert "is gone" in found["says"]
    assert not keys.exists()


@pytest.mark.parametrize(
    ("environ", "wrong"),
    [
        ({}, set()),
        ({"BASE_URL": "https://share.example.com", "TRUSTED_PROXIES": "127.0.0.1"}, set()),
        ({"BASE_URL": "http://127.0.0.1:8000"}, set()),
        ({"BASE_URL": "http://localhost:8000"}, set()),
        ({"TRUSTED_PROXIES": "127.0.0.1"}, {"base URL"}),
        ({"BASE_URL": "http://share.example.com"}, {"base URL"}),
        ({"BASE_URL": "https://share.example.com"}, {"proxies"}),
    ],
)
def test_settings_that_cannot_be_meant(
    environ: dict[str, str], wrong: set[str], run: Terminal, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name, value in environ.items():
        monkeypatch.setenv(f"GRAPEVINE_{name}", value)
    run.add_site()
    found = findings(run("doctor", "--json"))
    assert {name for name, finding in found.items() if not finding["ok"]} == wrong


def test_too_little_room(run: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    run.add_site()
    monkeypatch.setattr(environment, "SCARCE_BYTES", 1 << 80)
    assert not findings(run("doctor", "--json"))["disk"]["ok"]


def test_a_schema_of_another_version(run: Terminal, tmp_path: Path) -> None:
    run.add_site()
    for version, says in ((9_999, "Run a newer Grapevine."), (0, "Start the server, or run: grapevine migrate")):
        with closing(sqlite3.connect(tmp_path / "grapevine.sqlite3")) as connection:
            connection.execute(f"PRAGMA user_version = {version}")
        found = findings(run("doctor", "--json"))
        assert found["schema"]["fix"] == says
        assert "cascades" not in found


def test_files_that_others_can_use(run: Terminal, tmp_path: Path) -> None:
    run.add_site()
    database = tmp_path / "grapevine.sqlite3"
    assert findings(run("doctor", "--json"))["permissions"]["ok"]
    with closing(sqlite3.connect(database)) as other:  # keeps the log and its index
        other.execute("SELECT count(*) FROM sites").fetchall()
        log = tmp_path / "grapevine.sqlite3-wal"
        for path, mode in ((database, 0o644), (log, 0o660), (tmp_path, 0o755)):
            path.chmod(mode)
        found = findings(run("doctor", "--json"))["permissions"]
        assert not found["ok"]
        assert all(f"{path} (mode {mode})" in found["says"] for path, mode in ((database, 644), (log, 660)))
        assert found["fix"].startswith(f"chmod 700 {tmp_path} && chmod 600 {database} && chmod 600 {log};")
        tmp_path.chmod(0o700)
        run("site", "list")  # a command opens the store, which tightens its files
        assert findings(run("doctor", "--json"))["permissions"]["ok"]
