"""Every command on a PostgreSQL database; each of its errors is one line."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from grapevine.config.settings import Settings
from grapevine.domain import ids
from grapevine.store.postgres.store import CONCURRENT_BATCHES
from tests.cli.terminal import Terminal, findings
from tests.support.grapevine_process import KEYS, ORIGIN, PATIENCE_SECONDS, PostgresCommandRunner, browser, rows, visit

pytestmark = pytest.mark.process

ENOUGH = 50
NOBODY = "postgresql://ann:s3cret@127.0.0.1:1/grapevine"
COMMANDS = (
    "serve --port 0", "serve --port 0 --workers 2", "site add Lees --origin https://a.example", "site list",
    "site set x name=y", "key add x --scope read", "key list x", "key revoke x", f"token inspect {'0' * 23}",
    "stats x", "cascade x", "migrate",
)  # fmt: skip
NEED_KEYS = ("serve --port 0", "serve --port 0 --workers 2", f"token inspect {'0' * 23}")


@pytest.fixture
def url(anyio_backend: str, packaged_postgres_url: str) -> str:
    """A database of the test's own: some change its schema."""
    assert anyio_backend == "asyncio"
    return packaged_postgres_url


@pytest.fixture
def machine(tmp_path: Path, url: str) -> PostgresCommandRunner:
    return PostgresCommandRunner(tmp_path, url)


@pytest.fixture
def run(tmp_path: Path, url: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal(tmp_path, capsys)
    terminal.settings = Settings(database=url, secret_keys=(KEYS.encode(),))
    monkeypatch.setenv("GRAPEVINE_DATABASE", url)
    monkeypatch.setenv("GRAPEVINE_SECRET_KEYS", KEYS)
    return terminal


# What commands answer -------------------------------------------------------------------------------------------------


def test_sites(run: Terminal) -> None:
    assert "No site yet" in run("site", "list").out
    site = run.add_site("[red]Lees[/red]")
    assert "[red]Lees[/red]" in run("site", "list").out
    changed = run("site", "set", site, "name=Dregs", "param=via", "origin=https://b.example", "--json")
    assert 'data-param="via"' in changed.json["snippet"]
    (listed,) = run("site", "list", "--json").json
    assert (listed["name"], listed["param"], listed["origins"]) == ("Dregs", "via", ["https://b.example"])
    assert run("site", "set", "nobody", "name=x").status == 1


def test_keys(run: Terminal) -> None:
    site = run.add_site()
    added = run("key", "add", site, "--scope", "read", "--json").json
    assert added["key"].startswith("gv_")
    assert run("key", "revoke", added["id"]).status == 0
    assert run("key", "revoke", added["id"]).status == 1
    keys = {key["name"]: key for key in run("key", "list", site, "--json").json}
    assert set(keys) == {"first key", "read key"}
    assert keys["read key"]["revoked_at"]


def test_a_chain_in_every_command_that_shows_it(run: Terminal) -> None:
    site = run.add_site()
    first, second, third = run.chain(site)
    token = second["tokens"]["copy"]
    found = run("token", "inspect", token, "--json").json
    assert [node["visit"] for node in found["resolution"]["chain"]] == [first["visit"], second["visit"]]
    assert "It is a share of Lees through copy." in run("token", "inspect", token, "--site", site).out
    assert run("token", "inspect", first["session"]).status == 1
    summary = run("stats", site, "--json").json
    assert (summary["visits"], summary["returns"], summary["shares"]["proven"]) == (3, 2, 2)
    assert re.search(r"^Returns +2 ", run("stats", site).out, re.MULTILINE)
    cascade = run("cascade", first["visit"], "--json").json
    assert [node["visit"] for node in cascade["nodes"]] == [one["visit"] for one in (first, second, third)]
    assert run("cascade", first["visit"]).out.startswith("3 visits, depth 2, breadth 1, structural virality 1.33,")


def test_doctor(run: Terminal) -> None:
    site = run.add_site()
    first, *_ = run.chain(site)
    done = run("doctor")
    assert (done.status, done.err) == (0, ""), done.out
    assert done.out.endswith("All is well.\n")
    rows(run.settings.database, "UPDATE cascades SET size = 7")
    wrong = {name: finding for name, finding in findings(run("doctor", "--json")).items() if not finding["ok"]}
    assert set(wrong) == {"cascades"}
    assert wrong["cascades"]["differences"] == [
        {"site": site, "root": first["visit"], "measure": "size", "stored": 7, "counted": 3}
    ]


def test_migrate_an_empty_database(run: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    rows(run.settings.database, "CREATE SCHEMA fresh")
    monkeypatch.setenv("GRAPEVINE_DATABASE", f"{run.settings.database}&options=-csearch_path%3Dfresh")
    before = run("doctor")
    assert before.status == 1
    assert "Fix: Start the server, or run: grapevine migrate\n" in before.out
    first = run("migrate", "--json").json
    assert (first["before"], first["after"] > 0) == (0, True)
    assert run("migrate", "--json").json["before"] == first["after"]
    assert "is up to date" in run("migrate").out
    found = findings(run("doctor", "--json"))
    assert [name for name, finding in found.items() if not finding["ok"]] == ["sites"]


# What it refuses ------------------------------------------------------------------------------------------------------


def assert_one_line(done: subprocess.CompletedProcess[str], status: int, *says: str) -> None:
    """The exit status, nothing on standard output, one line of ours on standard error, and no password in it."""
    assert (done.returncode, done.stdout) == (status, ""), done
    assert done.stderr.startswith("grapevine: ")
    assert done.stderr.count("\n") == 1, done.stderr
    for text in says:
        assert text in done.stderr
    assert "s3cret" not in done.stderr


@pytest.mark.parametrize("command", NEED_KEYS)
def test_missing_secret_keys(machine: PostgresCommandRunner, command: str) -> None:
    done = machine.run(*command.split(), GRAPEVINE_SECRET_KEYS="")
    assert_one_line(done, 2, "GRAPEVINE_SECRET_KEYS", "openssl rand -hex 32")


def test_missing_secret_keys_are_found_by_the_doctor(run: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    run.add_site()
    monkeypatch.delenv("GRAPEVINE_SECRET_KEYS")
    found = findings(run("doctor", "--json"))
    assert [name for name, finding in found.items() if not finding["ok"]] == ["secret keys"]


@pytest.mark.parametrize("command", COMMANDS)
def test_a_database_that_does_not_respond(tmp_path: Path, command: str) -> None:
    done = PostgresCommandRunner(tmp_path, NOBODY).run(*command.split())
    assert_one_line(done, 1, "the database postgresql://127.0.0.1:1/grapevine cannot be reached")


def test_the_doctor_reports_a_database_that_does_not_respond(tmp_path: Path) -> None:
    done = PostgresCommandRunner(tmp_path, NOBODY).run("doctor")
    assert (done.returncode, done.stderr) == (1, "")
    assert "WRONG  schema: the database postgresql://127.0.0.1:1/grapevine cannot be reached" in done.stdout
    assert "Fix: Check GRAPEVINE_DATABASE and the database server.\n" in done.stdout
    assert "s3cret" not in done.stdout


@pytest.mark.parametrize(
    ("address", "status", "says"),
    [
        ("postgresql://ann:s3cret@nowhere.invalid/grapevine", 1, "postgresql://nowhere.invalid/grapevine"),
        ("postgresql://ann:s3cret@127.0.0.1:1/d?sslmode=perhaps", 1, "the database postgresql://127.0.0.1:1/d"),
        ("postgresql://ann:s3cret@127.0.0.1:seven/d", 1, "the database postgresql://127.0.0.1:seven/d"),
        ("postgresql://127.0.0.1:1/d?user=ann&password=s3cret", 1, "the database postgresql://127.0.0.1:1/d"),
        ("postgresql://ann:s3cret@127.0.0.1", 2, "names no database"),
    ],
)
def test_addresses_that_lead_nowhere(tmp_path: Path, address: str, status: int, says: str) -> None:
    assert_one_line(PostgresCommandRunner(tmp_path, address).run("site", "list"), status, says)


def test_a_database_that_does_not_exist(machine: PostgresCommandRunner) -> None:
    elsewhere = re.sub(r"/grapevine_\w+\?", "/nothing_here?", machine.url)
    for command in ("migrate", "site list"):
        done = machine.run(*command.split(), GRAPEVINE_DATABASE=elsewhere)
        assert_one_line(done, 1, 'database "nothing_here" does not exist')


def test_a_database_of_a_newer_version(machine: PostgresCommandRunner) -> None:
    rows(machine.url, "UPDATE versions SET version = 9999 WHERE name = 'schema'")
    for command in ("migrate", "site list", "serve --port 0"):
        assert_one_line(machine.run(*command.split()), 1, "has schema 9999, this Grapevine knows")
    assert "Run a newer Grapevine." in machine.run("doctor").stdout


@pytest.mark.parametrize("command", ["migrate", "site list", "serve --port 0", "stats x", "doctor"])
def test_without_the_package(machine: PostgresCommandRunner, command: str) -> None:
    code = "import sys; sys.modules['asyncpg'] = None; from grapevine.cli import main; sys.exit(main(sys.argv[1:]))"
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code, *command.split()],
        env=machine.environ,
        capture_output=True,
        text=True,
        timeout=PATIENCE_SECONDS,
        check=False,
    )
    assert (done.returncode, done.stderr) == (
        2,
        "grapevine: database: PostgreSQL needs the package asyncpg; run: pip install 'grapevine-share[postgres]'\n",
    )


# Serving --------------------------------------------------------------------------------------------------------------


def test_two_servers_on_one_database(machine: PostgresCommandRunner) -> None:
    site = machine.add_site()
    with machine.serving() as (_, one), machine.serving() as (_, other), browser(one) as here, browser(other) as there:
        first = visit(here, site, 1).json()
        body = {"site": site, "url": f"{ORIGIN}/", "nonce": "n" * 16, "token": first["tokens"]["copy"]}
        second = there.post("/v1/visits", json=body).json()
        assert (second["returned"]["valid"], second["returned"]["depth"]) == (True, 1)
        again = visit(there, site, 1)
        assert again.json() == first
        assert again.headers["grapevine-dropped"] == "duplicate"
        added = machine.add_site()
        wait_for(lambda: visit(here, added, 2).status_code == visit(there, added, 3).status_code == 200)
    assert len(machine.look("SELECT DISTINCT cell FROM counts_hour")) == 2
    assert machine.run("doctor").returncode == 0


def test_two_workers_collect_and_drain(machine: PostgresCommandRunner) -> None:
    site = machine.add_site()
    answered: list[str] = []
    unanswered: list[int] = []

    def read_on(url: str, nonce: int) -> None:
        """Calls until the server no longer responds; now and then over a new connection."""
        try:
            while True:
                with browser(url) as client:
                    for _ in range(5):
                        nonce += 1
                        response = visit(client, site, nonce)
                        if response.status_code != 200:
                            unanswered.append(response.status_code)
                            return
                        answered.append(response.json()["visit"])
        except httpx.TransportError:
            return

    with machine.serving("--workers", "2") as (process, url):
        readers = [threading.Thread(target=read_on, args=(url, start * 1_000_000)) for start in range(4)]
        for reader in readers:
            reader.start()
        counted = f"SELECT DISTINCT cell / {CONCURRENT_BATCHES} FROM counts_hour"  # one cell a concurrent batch
        wait_for(lambda: len(machine.look(counted)) == 2 and len(answered) > ENOUGH)
        process.send_signal(signal.SIGTERM)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
        for reader in readers:
            reader.join(PATIENCE_SECONDS)
    assert (process.returncode, out) == (0, "")
    assert re.fullmatch(r"(.*worker \d serves as process \d+\n){2}", err), err
    assert set(unanswered) <= {503}
    assert len(set(answered)) == len(answered)
    stored = {ids.visit_text(number) for (number,) in machine.look("SELECT visit_id FROM visits")}
    assert set(answered) <= stored
    assert machine.look("SELECT name FROM leases") == []
    assert machine.run("doctor").returncode == 0


def wait_for(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE_SECONDS
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.05)
