"""The commands on a real database: what they print, what they refuse, and that their documentation is whole."""

from __future__ import annotations

import argparse
import asyncio
import json
import re
import shlex
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing
from pathlib import Path
from typing import Any, NamedTuple

import httpx
import pytest
from starlette.applications import Starlette

from grapevine.cli import main
from grapevine.cli.parser import build_parser
from grapevine.config.secret_keys import with_secret_keys
from grapevine.config.settings import Settings
from grapevine.doctor import environment
from grapevine.domain import channels, ids
from grapevine.domain.tokens import Tokens
from grapevine.serving.app import running, system_clock
from grapevine.sites.cache import Site
from grapevine.store.factory import make_store
from grapevine.web.application import web_application
from grapevine.web.state import AppState
from tests.support.user_agents import CHROME

ORIGIN = "https://a.example"


class Output(NamedTuple):
    """What a command left behind."""

    status: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


class Terminal:
    """Runs commands on one database of its own."""

    def __init__(self, folder: Path, capture: pytest.CaptureFixture[str]) -> None:
        self.settings = Settings(database=f"sqlite:///{folder}/grapevine.sqlite3")
        self._capture = capture

    def __call__(self, *arguments: str) -> Output:
        self._capture.readouterr()
        try:
            status = main(arguments)
        except SystemExit as exit_:
            status = int(exit_.code or 0)
        return Output(status, *self._capture.readouterr())

    def add_site(self, name: str = "Lees") -> str:
        return str(self("site", "add", name, "--origin", ORIGIN).json["site"])

    def tokens(self, site: str) -> Tokens:
        """What mints tokens of the site."""

        async def find() -> Tokens:
            store = make_store(self.settings)
            await store.open()
            rows = await store.sites.sites()
            await store.close()
            row = next(row for row in rows if row.key == site)
            return Site(row, with_secret_keys(self.settings).secret_keys).tokens

        return asyncio.run(find())

    def chain(self, site: str) -> list[dict[str, Any]]:
        """Three visits, each through a copy of the one before; the answers."""

        async def grow() -> list[dict[str, Any]]:
            settings, store = with_secret_keys(self.settings), make_store(self.settings)
            await store.open()
            answers: list[dict[str, Any]] = []
            async with running(settings, store, system_clock) as state:
                app = web_application(settings, _no_lifespan)
                assert isinstance(app, Starlette)
                app.state.app_state = state
                for number in range(3):
                    body: dict[str, Any] = {"site": site, "url": f"{ORIGIN}/page", "nonce": f"{number:016}"}
                    body["channels"] = ["copy", "whatsapp"]
                    if answers:
                        body["token"] = answers[-1]["tokens"]["copy"]
                    transport = httpx.ASGITransport(app, client=(f"192.0.2.{number}", 50_000))
                    sent = {"User-Agent": CHROME, "Accept-Language": "en", "Origin": ORIGIN}
                    async with httpx.AsyncClient(transport=transport, base_url="http://a", headers=sent) as browser:
                        response = await browser.post("/v1/visits", json=body)
                    answers.append(response.json())
            await store.close()
            return answers

        return asyncio.run(grow())


@asynccontextmanager
async def _no_lifespan(_: Starlette) -> AsyncIterator[dict[str, AppState]]:
    yield {}


@pytest.fixture
def run(tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Terminal:
    terminal = Terminal(tmp_path, capsys)
    monkeypatch.setenv("GRAPEVINE_DATABASE", terminal.settings.database)
    return terminal


# Help and documentation -----------------------------------------------------------------------------------------------


def _leaves(parser: argparse.ArgumentParser, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]  # noqa: SLF001
    if not groups:
        yield path, parser
    for group in groups:
        for name, below in group.choices.items():
            yield from _leaves(below, (*path, name))


LEAVES = dict(_leaves(build_parser()))


def test_the_commands() -> None:
    assert {" ".join(path) for path in LEAVES} == {
        "serve", "demo", "site add", "site list", "site set", "key add", "key list", "key revoke", "token inspect",
        "stats", "cascade", "export", "migrate", "copy", "simulate", "doctor",
    }  # fmt: skip


@pytest.mark.parametrize("path", [(), ("site",), ("key",), ("token",), *LEAVES])
def test_help_of(path: tuple[str, ...], run: Terminal) -> None:
    done = run(*path, "--help")
    assert done.status == 0
    assert done.out.startswith(f"usage: grapevine {' '.join(path)}".rstrip())
    assert done.err == ""


def test_every_option_has_help() -> None:
    for path, parser in LEAVES.items():
        for action in parser._actions:  # noqa: SLF001
            assert action.help, (path, action.dest)


def test_every_command_and_option_is_documented(project_root: Path) -> None:
    text = (project_root / "docs/command-line.md").read_text("utf-8")
    for path, parser in LEAVES.items():
        heading = re.search(rf"^## .*`grapevine {' '.join(path)}\b.*\n(?:(?!^## ).*\n)*", text, re.MULTILINE)
        assert heading, path
        for action in parser._actions:  # noqa: SLF001
            for option in action.option_strings:
                shared = option in ("-h", "--help", "--config", "--json")
                assert shared or option in heading[0], (path, option)
    for option in ("--help", "--config", "--json", "--version"):
        assert f"`{option}" in text


def test_every_documented_command_runs(project_root: Path, run: Terminal) -> None:
    text = (project_root / "docs/command-line.md").read_text("utf-8")
    commands = re.findall(r"^\$ grapevine (.*)$", text, re.MULTILINE)
    assert len(commands) > 10
    site = run.add_site()
    first, *_, last = run.chain(site)
    key = run("key", "list", site, "--json").json[0]["id"]
    stands_for = {"SITE": site, "TOKEN": last["tokens"]["copy"], "ROOT": first["visit"], "KEY_ID": key}
    for command in commands:
        done = run(*(stands_for.get(word, word) for word in shlex.split(command)))
        assert (done.status, command) == (0, command), done.err


@pytest.mark.parametrize(
    "arguments",
    [
        "", "nonsense", "site", "site add Lees", "serve --port 99999", "stats x --from yesterday", "demo --traffic -1",
    ],
)  # fmt: skip
def test_wrong_usage(arguments: str, run: Terminal) -> None:
    done = run(*arguments.split())
    assert done.status == 2
    assert done.out == ""
    assert "usage: grapevine" in done.err


def test_version(run: Terminal) -> None:
    assert run("--version").out == "grapevine 0.1.0\n"


# Settings -------------------------------------------------------------------------------------------------------------


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


# Sites and keys -------------------------------------------------------------------------------------------------------


def test_adding_a_site(run: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPEVINE_BASE_URL", "https://share.example.com")
    monkeypatch.setenv("GRAPEVINE_PREFIX", "/g")
    done = run("site", "add", "Lees", "--origin", ORIGIN)
    assert (done.status, done.err) == (0, "")
    assert set(done.json) == {"site", "key", "snippet"}
    assert re.fullmatch("[0-9A-Za-z]{16}", done.json["site"])
    assert done.json["snippet"] == (
        f'<script async src="https://share.example.com/g/widget.js" data-site="{done.json["site"]}"></script>'
    )


def test_a_snippet_without_a_base_url_says_so(run: Terminal) -> None:
    done = run("site", "add", "Lees", "--origin", ORIGIN)
    assert "http://127.0.0.1:8000/widget.js" in done.json["snippet"]
    assert "GRAPEVINE_BASE_URL is not set" in done.err


def test_a_wrong_origin(run: Terminal) -> None:
    done = run("site", "add", "Lees", "--origin", "a.example")
    assert done.status == 2
    assert "`origin` must begin with http:// or https://" in done.err


def test_listing_and_changing_sites(run: Terminal) -> None:
    assert "No site yet" in run("site", "list").out
    site = run.add_site("[red]Lees[/red]")
    assert "[red]Lees[/red]" in run("site", "list").out
    changed = run("site", "set", site, "name=Dregs", "param=via", "origin=https://b.example", "--json")
    assert 'data-param="via"' in changed.json["snippet"]
    assert "Changed Dregs" in run("site", "set", site, "place=query").out
    (listed,) = run("site", "list", "--json").json
    assert (listed["name"], listed["param"], listed["place"]) == ("Dregs", "via", "query")
    assert listed["origins"] == ["https://b.example"]
    assert run("site", "set", site, "colour=red").status == 2
    assert run("site", "set", site, "colour").status == 2
    assert run("site", "set", "nobody", "name=x").status == 1


def test_keys(run: Terminal) -> None:
    site = run.add_site()
    added = run("key", "add", site, "--scope", "read", "--json").json
    assert added["key"].startswith("gv_")
    shown = run("key", "add", site, "--scope", "write", "--name", "shop")
    assert re.match(r"gv_\w{40}\n", shown.out)
    listed = run("key", "list", site)
    assert "shop" in listed.out
    assert added["key"] not in listed.out
    assert run("key", "revoke", added["id"]).status == 0
    assert run("key", "revoke", added["id"]).status == 1
    keys = {key["name"]: key for key in run("key", "list", site, "--json").json}
    assert set(keys) == {"first key", "read key", "shop"}
    assert keys["read key"]["revoked_at"]
    assert not keys["shop"]["revoked_at"]


# Tokens ---------------------------------------------------------------------------------------------------------------


def test_inspecting_a_good_token(run: Terminal) -> None:
    site = run.add_site()
    first, second, third = run.chain(site)
    token = second["tokens"]["copy"]
    found = run("token", "inspect", token, "--json")
    assert found.status == 0
    assert found.json["valid"] is True
    assert (found.json["site"], found.json["visit"], found.json["channel"]) == (site, second["visit"], "copy")
    assert (found.json["n"], found.json["day"]) == (0, ids.day_date(ids.day_at(system_clock())).isoformat())
    resolution = found.json["resolution"]
    assert [node["visit"] for node in resolution["chain"]] == [first["visit"], second["visit"]]
    assert (resolution["share"]["depth"], resolution["share"]["proven"], resolution["reach"]["visits"]) == (1, True, 1)
    shown = run("token", "inspect", token, "--site", site).out
    for fact in (first["visit"], second["visit"], "It is a share of Lees through copy.", "proven", f"{ORIGIN}/page"):
        assert fact in shown
    assert third["visit"] not in shown


def test_each_kind_of_bad_token_is_explained_in_one_sentence(run: Terminal) -> None:
    site, other = run.add_site("Lees"), run.add_site("Dregs")
    visit = run.chain(site)[0]
    token = visit["tokens"]["whatsapp"]
    swapped = token[:-1] + ("0" if token[-1] != "0" else "1")
    unborn = run.tokens(site).mint(ids.pack(2500, 7, 99), [channels.CODES["copy"]])[0]
    ahead = ids.token_text((2 << 134) | 1)
    nowhere = ids.token_text((1 << 134) | (30 << 127))
    cases: list[tuple[list[str], str, str]] = [
        (["abc"], "not-a-token", "It is not a token: it has 3 characters, and a token has 23."),
        (["a"], "not-a-token", "it has 1 character, and"),
        ([token[:10] + "-" + token[11:]], "not-a-token", "'-' at place 11 is no letter or digit"),
        (["z" * 23], "bad-signature", "the number it spells is larger than any token"),
        ([ahead], "bad-signature", "it is of version 2, and this server knows version 1 only"),
        ([nowhere], "bad-signature", "it names channel 30, which does not exist"),
        ([swapped], "bad-signature", "no key of a site of this server signed it"),
        ([token, "--site", other], "unknown-site-token", f"signed for the site Lees ({site}), not for {other}"),
        ([visit["session"]], "session", "It is a session, the credential of a visit itself"),
        ([unborn], "unknown-visit", f"Its signature is good, but visit {ids.visit_text(ids.pack(2500, 7, 99))} is not"),
    ]
    for arguments, reason, says in cases:
        inspected = run("token", "inspect", *arguments)
        assert (inspected.status, inspected.err) == (1, ""), inspected
        assert says in inspected.out
        assert inspected.out.endswith(".\n")
        assert inspected.out.count("\n") == 1
        found = run("token", "inspect", *arguments, "--json")
        assert found.status == 1
        assert (found.json["valid"], found.json["reason"]) == (False, reason), inspected.out
        assert found.json["detail"] == inspected.out.strip()


def test_inspecting_without_any_site(run: Terminal) -> None:
    done = run("token", "inspect", "0" * 23)
    assert done.out == "It looks like a token, but this server has no site yet that could have signed it.\n"


# Numbers and cascades -------------------------------------------------------------------------------------------------


def test_stats(run: Terminal, tmp_path: Path) -> None:
    site = run.add_site()
    run.chain(site)
    summary = run("stats", site, "--json").json
    assert (summary["visits"], summary["returns"], summary["shares"]["proven"]) == (3, 2, 2)
    shown = run("stats", site).out
    assert re.search(r"^Returns +2 ", shown, re.MULTILINE)
    assert re.search(r"^K-factor +0\.67 ", shown, re.MULTILINE)
    assert re.search(r"^Suspects +0 ", shown, re.MULTILINE)
    with closing(sqlite3.connect(tmp_path / "grapevine.sqlite3", isolation_level=None)) as connection:
        connection.execute("UPDATE visits SET verdict = 2")
    assert run("stats", site, "--json").json["suspects"] == {"driven": 0, "scanner": 3, "replay": 0}
    assert re.search(r"^Suspects +3 +scanner 3 *$", run("stats", site).out, re.MULTILINE)
    before = run("stats", site, "--from", "2020-01-01", "--to", "2020-01-31")
    assert "Lees, 2020-01-01 to 2020-01-31" in before.out
    assert re.search(r"^Visits +0 ", before.out, re.MULTILINE)
    backwards = run("stats", site, "--from", "2026-02-01", "--to", "2026-01-01")
    assert (backwards.status, backwards.out) == (2, "")


def test_cascade(run: Terminal) -> None:
    other, site = run.add_site("Dregs"), run.add_site()
    first, second, third = run.chain(site)
    cascade = run("cascade", first["visit"], "--json").json
    assert [node["visit"] for node in cascade["nodes"]] == [first["visit"], second["visit"], third["visit"]]
    headline, *tree = run("cascade", first["visit"], "--site", site).out.splitlines()
    assert headline == "3 visits, depth 2, breadth 1, structural virality 1.33, 2 shares, 0 conversions"
    assert re.fullmatch(rf"direct-deep  /page  depth 0, \S+ \S+, {first['visit']}", tree[0])
    assert re.fullmatch(rf"└── copy  /page  depth 1, \S+ \S+, {second['visit']}", tree[1])
    assert re.fullmatch(rf"    └── copy  /page  depth 2, \S+ \S+, {third['visit']}", tree[2])
    assert run("cascade", first["visit"], "--site", other).status == 1
    assert run("cascade", "nonsense").status == 1


# Schema ---------------------------------------------------------------------------------------------------------------


def test_migrate(run: Terminal) -> None:
    first = run("migrate", "--json").json
    assert (first["before"], first["after"] > 0) == (0, True)
    assert run("migrate", "--json").json["before"] == first["after"]
    assert "is up to date" in run("migrate").out


# Doctor ---------------------------------------------------------------------------------------------------------------


def findings(done: Output) -> dict[str, dict[str, Any]]:
    """What the doctor found, by check."""
    found = {finding["check"]: finding for finding in done.json["checks"]}
    assert done.json["ok"] is all(finding["ok"] for finding in found.values()) is (done.status == 0)
    for finding in found.values():
        assert finding["says"].endswith(".")
        assert ("fix" in finding) is not finding["ok"]
    return found


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
    assert shown.out.endswith("4 of 19 checks found something to fix.\n")


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


def test_a_page_is_not_checked_yet(run: Terminal) -> None:
    done = run("doctor", "https://example.com/")
    assert (done.status, done.out) == (2, "")
    assert "checks an installation, not a page's embed" in done.err
