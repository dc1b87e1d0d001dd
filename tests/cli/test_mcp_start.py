"""How ``grapevine mcp`` refuses to start: one line on standard error that says what to do."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal

KEY = "gv_" + "k" * 40


@pytest.fixture(autouse=True)
def _environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPEVINE_URL", "https://share.example.com")
    monkeypatch.setenv("GRAPEVINE_KEY", KEY)


def test_without_the_extra(run: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "grapevine.mcp_server.server", raising=False)
    for name in ("mcp", "mcp_types"):
        monkeypatch.setitem(sys.modules, name, None)
    said = "mcp: tools for assistants need the package mcp; run: pip install 'grapevine-share[mcp]'"
    assert run("mcp") == (2, "", f"grapevine: {said}\n")


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["--key-file", "/nowhere"], "--key-file: the key file /nowhere cannot be read: No such file or directory"),
        (
            ["--server", "http://192.0.2.1"],
            "the API key would go to 192.0.2.1 unencrypted, where others can read it. Use",
        ),
        (["--key", KEY], "an API key cannot be an argument, because other users of this machine can see"),
        ([f"--server=https://{KEY}@a.example"], "an API key cannot be an argument"),
        ([KEY], "an API key cannot be an argument"),
    ],
)
def test_what_is_wrong(arguments: list[str], says: str, run: Terminal) -> None:
    done = run("mcp", *arguments)
    assert (done.status, done.out, done.err.count("\n")) == (2, "", 1)
    assert done.err.startswith(f"grapevine: {says}")
    assert KEY not in done.err


def test_no_command_takes_a_key(run: Terminal, tmp_path: Path) -> None:
    for command in (["stats", KEY], ["key", "revoke", KEY], ["--config", str(tmp_path / KEY), "site", "list"], [KEY]):
        done = run(*command)
        assert (done.status, done.out) == (2, ""), command
        assert "an API key cannot be an argument" in done.err
        assert KEY not in done.err
