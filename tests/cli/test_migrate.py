"""The command ``migrate`` on SQLite."""

from __future__ import annotations

from tests.cli.terminal import Terminal


def test_migrate(run: Terminal) -> None:
    first = run("migrate", "--json").json
    assert (first["before"], first["after"] > 0) == (0, True)
    assert run("migrate", "--json").json["before"] == first["after"]
    assert "is up to date" in run("migrate").out
