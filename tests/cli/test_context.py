"""Settings of commands: from the environment or a file, and errors in one line."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from grapevine.cli.context import CommandContext
from grapevine.config.settings import Settings
from grapevine.keyring.derivation import fingerprint
from grapevine.store.base import Store
from tests.cli.terminal import Output, Terminal


def test_a_wrong_setting_is_one_line(run: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPEVINE_RATE_LIMIT", "lots")
    done = run("site", "list")
    assert done == Output(
        2, "", "grapevine: GRAPEVINE_RATE_LIMIT is 'lots', which must be a whole number from 0 to 1000000\n"
    )


@pytest.mark.parametrize("before", [True, False])
def test_a_settings_file_before_or_after_the_command(
    before: bool, run: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRAPEVINE_DATABASE")
    config = tmp_path / "grapevine.toml"
    config.write_text(f'database = "sqlite:///{tmp_path}/other.sqlite3"\n')
    option = ["--config", str(config)]
    done = run(*option, "migrate") if before else run("migrate", *option)
    assert done.status == 0
    assert (tmp_path / "other.sqlite3").exists()


def test_a_database_that_cannot_be_used(run: Terminal, tmp_path: Path) -> None:
    (tmp_path / "grapevine.sqlite3").write_text("this is no database, and longer than a hundred bytes " * 4)
    for command in ("migrate", "site list"):
        done = run(*command.split())
        assert done.status == 1
        assert done.err.startswith(f"grapevine: cannot use the database file {tmp_path}/grapevine.sqlite3: ")
        assert done.err.count("\n") == 1


@pytest.mark.anyio
async def test_another_server_makes_the_first_key_meanwhile(tmp_path: Path) -> None:
    """Two start on a database without keys: this one finds no key file, and the other one's key before it makes one."""
    environ = {"GRAPEVINE_DATABASE": f"sqlite:///{tmp_path}/grapevine.sqlite3"}
    other_keys: list[bytes] = []

    class Overtaken(CommandContext):
        @asynccontextmanager
        async def store(self, settings: Settings | None = None, *, make: bool = False) -> AsyncIterator[Store]:
            async with super().store(settings, make=make) as store:
                if not other_keys:
                    async with CommandContext(environ, None).store_and_keys(make=True) as (other, found):
                        other_keys.extend(found.secret_keys)
                        await other.fingerprints.enter("other", [fingerprint(*other_keys)], 0, 60_000)
                yield store

    async with CommandContext(environ, None).store(make=True):
        pass  # it exists, with its schema
    async with Overtaken(environ, None).store_and_keys(make=True) as (_, settings):
        assert settings.secret_keys == tuple(other_keys)
