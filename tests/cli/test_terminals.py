"""What commands write on a terminal: nothing that is to be copied is folded, cut or coloured, at any width."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from tests.support.grapevine_process import CommandRunner

pytestmark = pytest.mark.process
KEY = re.compile(r"^gv_[0-9A-Za-z]{40}$", re.MULTILINE)
SNIPPET = re.compile(r'^<script async src="\S+/widget\.js" data-site="([0-9A-Za-z]{16})"></script>$', re.MULTILINE)


@pytest.fixture
def machine(tmp_path: Path) -> CommandRunner:
    return CommandRunner(tmp_path)


@pytest.mark.parametrize("columns", [40, 120])
def test_adding_a_site_on_a_terminal(machine: CommandRunner, columns: int) -> None:
    add = ("site", "add", "Lees", "--origin", "https://a.example")
    shown = machine.on_terminal(*add, columns=columns)
    (site,), (key,) = SNIPPET.findall(shown), KEY.findall(shown)
    assert "\x1b" not in shown
    for alone in ("grapevine serve", "http://127.0.0.1:8000/", "grapevine doctor https://a.example/"):
        assert f"\n\n{alone}\n\n" in shown
    words = " ".join(shown.split())
    assert "it is shown only this once" in words
    assert f"print the line again: grapevine site snippet {site}" in words
    listed = machine.on_terminal("site", "list", columns=columns, NO_COLOR="1")
    assert f"Database: {machine.database}" in listed
    assert site in listed
    assert "Lees" in listed
    assert "https://a.example" in listed
    assert key not in listed
    again = machine.on_terminal(*add, "--json", GRAPEVINE_BASE_URL="https://share.example.com")
    found = json.loads(again[again.index("{") : again.rindex("}") + 1])
    assert set(found) == {"site", "key", "snippet"}
    assert f"another site is called Lees, too: {site} (Lees, https://a.example)" in again
    assert f"https://a.example belongs to another site, too: {site}" in again
    assert "GRAPEVINE_BASE_URL" not in again


def test_a_page_on_this_computer_is_checked_with_the_option_that_it_needs(machine: CommandRunner) -> None:
    shown = machine.on_terminal("site", "add", "Lees", "--origin", "http://localhost:8080")
    assert "\n\ngrapevine doctor http://localhost:8080/ --allow-private\n\n" in shown


def test_a_terminal_without_utf8(machine: CommandRunner) -> None:
    name = "Café – 日本 𝕏"
    machine.run("site", "add", name, "--origin", "https://a.example", PYTHONIOENCODING="utf-8")
    shown = machine.on_terminal("site", "list", columns=60, PYTHONIOENCODING="ascii")
    assert "Caf\\u00e9 - \\u65e5\\u672c \\ud835\\udd4f" in shown
    assert "grapevine-..." in shown
    piped = machine.run("site", "list", "--json", PYTHONIOENCODING="latin-1").stdout
    assert piped.isascii()
    assert json.loads(piped)[0]["name"] == name
    assert json.loads(machine.run("site", "list", "--json", PYTHONIOENCODING="utf-8").stdout)[0]["name"] == name
