"""A new key begins to sign under load: no token is refused by any process, and it may be killed at any moment."""

from __future__ import annotations

import asyncio
import json
import signal
import sqlite3
from contextlib import ExitStack, closing
from pathlib import Path
from typing import Final

import pytest

from grapevine.domain.tokens import BadSignature, Tokens
from tests.chaos.key_load import KeyLoad
from tests.support.grapevine_process import rows
from tests.support.server_process import ExitResult, Installation, PostgresInstallation

pytestmark = pytest.mark.anyio

PATIENCE_SECONDS: Final = 60
MOMENTS: Final = (
    [("grapevine.store.repositories.fingerprints:FingerprintRepository.add", "after")],
    [("grapevine.config.secret_keys:replace", "before"), ("grapevine.config.secret_keys:replace", "after")],
    [
        ("grapevine.keyring.rotation:sign_with", "before"),
        ("grapevine.store.repositories.fingerprints:FingerprintRepository.sign_with", "after"),
        ("grapevine.webhooks.sealed_secrets:seal_all", "before"),
    ],
)
"""Calls of `grapevine secret rotate`, and whether it is killed before or after; each list while one server runs."""
KILLED: Final = """
import importlib, inspect, os, signal, sys
from grapevine.cli import main

where, when = sys.argv[1:]
module, _, path = where.partition(":")
owner = importlib.import_module(module)
*outer, name = path.split(".")
for part in outer:
    owner = getattr(owner, part)
whole = getattr(owner, name)

def kill():
    os.kill(os.getpid(), signal.SIGKILL)

async def later(*args, **kwargs):
    when == "before" and kill()
    await whole(*args, **kwargs)
    kill()

def plain(*args, **kwargs):
    when == "before" and kill()
    whole(*args, **kwargs)
    kill()

setattr(owner, name, later if inspect.iscoroutinefunction(whole) else plain)
sys.exit(main(["secret", "rotate"]))
"""


_REFUSED: Final = "SELECT count(*) FROM visits WHERE reason IS NOT NULL"


async def test_two_servers_on_one_database_are_given_a_new_key(postgres_url: str, tmp_path: Path) -> None:
    installation = PostgresInstallation(postgres_url, tmp_path)
    load = KeyLoad(installation.site)
    with ExitStack() as stack:
        servers = [stack.enter_context(installation.serving()) for _ in range(2)]
        async with load.on(*(server.port for server in servers)):
            await load.some()
            printed = await _run(installation, "secret", "rotate", "--json")
            made = json.loads(printed.out)
            assert (made["signs"], made["secret_keys"].split(",")[0]) == (False, "c" * 32)
            assert "--start-over" in (await _run(installation, "secret", "rotate")).err
            installation.keys = made["secret_keys"]
            for turn in range(2):
                early = await _run(installation, "secret", "rotate")
                assert early.status == 1
                assert f"{2 - turn} of 2 running processes do not accept the key {made['key']} yet" in early.err
                await load.leave(servers[turn].port)
                assert servers[turn].end().status == 0
                servers[turn] = stack.enter_context(installation.serving())
                load.ports.append(servers[turn].port)
                await load.some()
            new, before = await _new_tokens(installation), list(load.tokens)
            assert not any(_reads(new, token) for token in before)
            done = await _run(installation, "secret", "rotate", "--json")
            assert json.loads(done.out) == {"key": made["key"], "signs": True}, done
            async with asyncio.timeout(PATIENCE_SECONDS):
                while not _reads(new, load.tokens[-1]):
                    await load.some(1)
        assert load.refused == []
        for server in servers:
            for token in (before[0], before[-1], load.tokens[-1]):
                await load.check(server.port, token)
        assert load.refused == []
        assert [server.end().status for server in servers] == [0, 0]
    installation.keys = "c" * 32
    with installation.starting() as process:
        assert await asyncio.to_thread(process.wait, PATIENCE_SECONDS) == 2
    (line,) = [line for line in installation.log.read_text().splitlines() if line.startswith("grapevine:")]
    assert f"the key {made['key']}, which signs, is missing" in line
    assert line.endswith("run: grapevine secret accept")
    assert await asyncio.to_thread(rows, postgres_url, _REFUSED) == [(0,)]


@pytest.mark.slow
async def test_a_rotation_is_killed_at_each_of_its_moments(installation: Installation, tmp_path: Path) -> None:
    script = tmp_path / "killed.py"
    script.write_text(KILLED)
    load = KeyLoad(installation.site)
    key_file = installation.database.with_name("secret-keys")
    first = key_file.read_bytes().split()
    for moments in MOMENTS:
        with installation.serving() as server:
            async with load.on(server.port):
                for where, when in moments:
                    await load.some(5)
                    killed = await asyncio.to_thread(installation.run_python, str(script), where, when)
                    assert killed.status == -signal.SIGKILL, (where, when, killed)
                    assert key_file.stat().st_mode & 0o777 == 0o600
                    assert key_file.read_bytes().split()[:1] == first
                await load.some(5)
            assert load.refused == [], moments
            assert server.end().status == 0
    with installation.serving() as server:
        async with load.on(server.port):
            done = await _run(installation, "secret", "rotate")
            assert done.status == 0, done
            assert "signs from now on" in done.out
            await load.some(5)
        for token in (load.tokens[0], load.tokens[-1]):
            await load.check(server.port, token)
        assert load.refused == []
        assert server.end().status == 0
    assert len(first) == 1
    assert len(key_file.read_bytes().split()) > 2
    doctor = json.loads(installation.run("doctor", "--json").out)
    assert [check for check in doctor["checks"] if check["check"] == "secret keys" and not check["ok"]] == []
    with closing(sqlite3.connect(installation.database)) as database:
        assert database.execute(_REFUSED).fetchall() == [(0,)]


async def _run(installation: Installation, *arguments: str) -> ExitResult:
    """Runs a command while the load goes on."""
    return await asyncio.to_thread(installation.run, *arguments)


async def _new_tokens(installation: PostgresInstallation) -> Tokens:
    """Reads the tokens that the new key alone signed."""
    ((salt,),) = await asyncio.to_thread(rows, installation.url, "SELECT salt FROM sites")
    return Tokens([installation.keys.rsplit(",", 1)[1].encode()], bytes.fromhex(salt))


def _reads(tokens: Tokens, text: str) -> bool:
    try:
        tokens.read(text)
    except BadSignature:
        return False
    return True
