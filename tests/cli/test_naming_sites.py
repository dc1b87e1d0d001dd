"""Wherever a command asks for a SITE, a key or an unambiguous name will do."""

from __future__ import annotations

import re
import shlex

import pytest

from tests.cli.terminal import Terminal
from tests.cli.test_parser import LEAVES, examples


def _metavars(path: tuple[str, ...]) -> list[object]:
    return [action.metavar for action in LEAVES[path]._actions if action.dest == "site"]  # noqa: SLF001


TAKE_A_SITE = [path for path in LEAVES if _metavars(path)]


def _example(path: tuple[str, ...], site: str) -> list[str]:
    """Returns the first example of a command that names a site, with ``site`` as what names it."""
    for example in examples(LEAVES[path]):
        line = re.sub(r"https?://[^/\s\"]+", "http://127.0.0.1:9", example.replace('"Try-out"', "SITE"))
        words = shlex.split(line.replace('"My shop"', "SITE", 1))
        if "SITE" in words:
            return [site if word == "SITE" else word for word in words[1 : words.index(">") if ">" in words else None]]
    raise AssertionError(f"no example of {path} names a site")


def test_every_command_calls_it_so() -> None:
    assert len(TAKE_A_SITE) > 10
    assert {str(metavar) for path in TAKE_A_SITE for metavar in _metavars(path)} == {"SITE"}


@pytest.mark.parametrize("path", TAKE_A_SITE, ids=" ".join)
def test_a_name_is_looked_up_and_never_guessed(path: tuple[str, ...], run: Terminal) -> None:
    keys = [run.add_site(name) for name in ("Lees", "Dregs", "DREGS")]
    twice = run(*_example(path, "dregs"))
    assert twice.status == 1
    assert "'dregs' may be any of 2 sites, so name it by its key: " in twice.err
    assert all(f"{key} (" in twice.err for key in keys[1:])
    assert keys[0] not in twice.err
    unknown = run(*_example(path, "Leas"))
    assert unknown.status == 1
    assert f"no site of this server has the key or name 'Leas'; did you mean {keys[0]} (Lees, " in unknown.err
    found = [run(*_example(path, site)) for site in (" lees ", keys[0])]
    for done in found:
        assert "key or name" not in done.err
        assert "may be any of" not in done.err
    assert found[0].status == found[1].status


def test_names_and_origins_that_another_site_has(run: Terminal) -> None:
    site = run.add_site()
    again = run("site", "add", " lees", "--origin", "https://a.example", "--origin", "https://A.example/")
    assert again.status == 0
    assert f"another site is called Lees, too: {site} (Lees, https://a.example)" in again.err
    assert again.err.count(f"https://a.example belongs to another site, too: {site}") == 1
    assert run("site", "list", "--json").json[1]["origins"] == ["https://a.example"]
    renamed = run("site", "set", site, "place=query")
    assert renamed.err == ""
    other = run("site", "add", "Other", "--origin", "https://c.example").json["site"]
    both = run("site", "set", other, "name=LEES", "origin=https://c.example", "origin=https://a.example").err
    assert "another site is called Lees, too" in both
    assert "https://a.example belongs to another site, too" in both
    assert "https://c.example" not in both
    alone = run("site", "add", "Alone", "--origin", "https://b.example")
    assert "another site" not in alone.err


@pytest.mark.parametrize("origin", ["https://*.example.com", "*.example.com", "https://example.*", "*"])
def test_a_wildcard_is_refused_wherever_origins_come_in(run: Terminal, origin: str) -> None:
    site = run.add_site()
    for refused in (
        run("site", "add", "Other", "--origin", "https://b.example", "--origin", origin),
        run("site", "set", site, f"origin={origin}"),
    ):
        assert (refused.status, refused.out, refused.err.count("\n")) == (2, "", 1)
        assert "`origin` cannot have a * in it: pages of any host that matches" in refused.err
        assert f"(given: {origin!r}; an origin is like https://example.com)" in refused.err
    assert [one["origins"] for one in run("site", "list", "--json").json] == [["https://a.example"]]


def test_the_line_to_paste_can_be_printed_again(run: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    site = run.add_site()
    monkeypatch.setenv("GRAPEVINE_BASE_URL", "https://share.example.com")
    line = f'<script async src="https://share.example.com/widget.js" data-site="{site}"></script>'
    assert run("site", "snippet", "lees").out == f"{line}\n"
    assert run("site", "snippet", site, "--json").json == {"site": site, "snippet": line}
