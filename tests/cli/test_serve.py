"""``grapevine serve`` as a process: readiness, logging, draining at shutdown, and refused settings."""

from __future__ import annotations

import json
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from pathlib import Path

import httpx
import pytest

from tests.support.grapevine_process import PATIENCE_SECONDS, CommandRunner, browser, visit

ENOUGH = 50


@pytest.fixture
def machine(tmp_path: Path) -> CommandRunner:
    return CommandRunner(tmp_path)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_what_was_accepted(machine: CommandRunner, number: signal.Signals) -> None:
    site = machine.add_site()
    answered: list[str] = []
    unanswered: list[int] = []
    enough = threading.Event()

    def read_on(url: str, first: int) -> None:
        with browser(url) as client:
            for nonce in range(first, first + 100_000):
                try:
                    response = visit(client, site, nonce)
                except httpx.TransportError:
                    return
                if response.status_code != 200:
                    unanswered.append(response.status_code)
                    return
                answered.append(response.json()["visit"])
                if len(answered) > ENOUGH:
                    enough.set()

    with machine.serving() as (process, url):
        readers = [threading.Thread(target=read_on, args=(url, start * 1_000_000)) for start in range(8)]
        for reader in readers:
            reader.start()
        assert enough.wait(PATIENCE_SECONDS)
        process.send_signal(number)
        out, err = process.communicate(timeout=PATIENCE_SECONDS)
        for reader in readers:
            reader.join(PATIENCE_SECONDS)
    assert (process.returncode, out, err) == (0, "", "")
    assert set(unanswered) <= {503}
    assert len(answered) > ENOUGH
    assert set(answered) <= machine.stored()
    assert len(set(answered)) == len(answered)


def test_a_site_added_meanwhile_is_known_within_a_second(machine: CommandRunner) -> None:
    with machine.serving() as (process, url), browser(url) as client:
        assert process.stdout is not None
        assert process.stdout.readline().startswith("It has no site yet; add one with: grapevine site add")
        assert visit(client, "nobody", 1).status_code == 404
        site = machine.add_site()
        known_by = time.monotonic() + 10  # a second, and room for a slow machine
        while (answer := visit(client, site, 2)).status_code == 404:
            assert time.monotonic() < known_by
        assert answer.status_code == 200
        assert client.get("/healthz").status_code == 200
        assert "server" not in answer.headers
        assert "date" not in answer.headers


def test_secret_keys_are_made_at_the_first_start_and_kept(machine: CommandRunner) -> None:
    site = machine.add_site()
    tokens = []
    for number in range(2):
        with machine.serving() as (_, url), browser(url) as client:
            tokens.append(visit(client, site, number).json()["tokens"]["copy"])
    for token in tokens:
        assert machine.run("token", "inspect", token).returncode == 0
    for command in (["token", "inspect", tokens[0]], ["serve", "--port", "0"]):
        foreign = machine.run(*command, GRAPEVINE_SECRET_KEYS="another-key-of-this-server")
        assert (foreign.returncode, foreign.stdout, foreign.stderr.count("\n")) == (2, "", 1)
        assert "they are not those that this database is used with" in foreign.stderr


def test_an_address_in_use(machine: CommandRunner) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = machine.run("serve", "--port", str(port))
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        f"grapevine: cannot listen on 127.0.0.1:{port}: Address already in use; another --port or --host may be free\n"
    )


@pytest.mark.parametrize(
    ("arguments", "environ", "status", "says"),
    [
        ((), {"GRAPEVINE_LOG": "xml"}, 2, "GRAPEVINE_LOG is 'xml', which must be text or json"),
        ((), {"GRAPEVINE_DATABASE": "postgresql://u:secret@h/d"}, 2, "and none are set"),
        ((), {"GRAPEVINE_DATABASE": "sqlite:////dev/null/x"}, 2, "secret_keys: the key file /dev/null/secret-keys"),
        (("--workers", "0"), {}, 2, "--workers 0: must be 1 to 64"),
        (("--workers", "65"), {}, 2, "--workers 65: must be 1 to 64"),
        (
            ("--workers", "2"),
            {},
            2,
            (
                "--workers 2: one SQLite file has one serving process; leave --workers out, or serve a PostgreSQL "
                "database that GRAPEVINE_DATABASE names (`grapevine copy` moves the data there)\n"
            ),
        ),
        (("--host", "nowhere.invalid"), {}, 1, "cannot listen on nowhere.invalid:8000"),
    ],
)
def test_what_it_refuses(
    machine: CommandRunner, arguments: tuple[str, ...], environ: dict[str, str], status: int, says: str
) -> None:
    done = machine.run("serve", *arguments, **environ)
    assert done.returncode == status
    assert done.stderr.startswith("grapevine: ")
    assert says in done.stderr
    assert done.stderr.count("\n") == 1
    assert "secret@" not in done.stderr


def test_a_log_of_json_lines(machine: CommandRunner) -> None:
    code = (
        "import logging; from grapevine.config import logging as log_output; log_output.configure('json');"
        "log = logging.getLogger('grapevine.test'); log.info('%d events', 3, extra={'site': 'x'});"
        "log.debug('too fine'); logging.getLogger('library').info('too chatty');\n"
        "try: 1 / 0\n"
        "except ZeroDivisionError: log.exception('it failed')"
    )
    done = subprocess.run(  # noqa: S603
        [sys.executable, "-c", code], env=machine.environ, capture_output=True, text=True, check=True
    )
    first, second = map(json.loads, done.stderr.splitlines())
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first.pop("time"))
    assert first == {"level": "info", "logger": "grapevine.test", "message": "3 events", "site": "x"}
    assert second["error"].endswith("ZeroDivisionError: division by zero")
