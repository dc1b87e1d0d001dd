"""The commands ``stats`` and ``cascade``."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from pathlib import Path

from tests.cli.terminal import Terminal


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


def test_stats_of_a_part(run: Terminal) -> None:
    site = run.add_site()
    run.chain(site)
    for options, visits, returns in (
        (("--source", "share"), 2, 2),
        (("--channel", "copy"), 2, 2),
        (("--device", "phone"), 0, 0),
        (("--page", "https://a.example/page"), 3, 2),
        (("--app", "instagram"), 0, 0),
    ):
        part = run("stats", site, "--json", *options).json
        assert (part["visits"], part["returns"]) == (visits, returns), options
    assert re.search(
        r"^Lees, \S+ to \S+, source share, app slack *$",
        run("stats", site, "--source", "share", "--app", "slack").out,
        re.MULTILINE,
    )
    unknown = run("stats", site, "--source", "moon")
    assert (unknown.status, unknown.out) == (2, "")
    assert "`source` must be one of share, " in unknown.err


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
    for root, says in (
        ("nonsense", "'nonsense' is not the root of a cascade. That is not the id of a visit"),
        (second["visit"], f"That visit is not the first of its cascade; {first['visit']} is."),
        (first["tokens"]["copy"], f"run: grapevine token inspect {first['tokens']['copy']}"),
    ):
        unknown = run("cascade", root)
        assert (unknown.status, says in unknown.err, "`grapevine cascade` lists all of them." in unknown.err) == (
            1, True, True,
        ), unknown.err  # fmt: skip


def test_the_list_of_cascades(run: Terminal) -> None:
    assert run("migrate").status == 0
    assert "No site yet" in run("cascade").out
    other, site = run.add_site("Dregs"), run.add_site()
    root = run.chain(site)[0]["visit"]
    shown = run("cascade").out
    assert f"Dregs ({other})\nNo cascade yet: one begins when somebody opens a link" in shown
    assert re.search(rf"^{root} +3 +2 +2 +\S+ \S+ +\S+ \S+ +https://a\.example/page *$", shown, re.MULTILINE)
    assert shown.endswith("To draw one: grapevine cascade ROOT\n")
    assert "Dregs" not in run("cascade", "--site", "lees").out
    listed = run("cascade", "--sort", "recent", "--json").json
    assert [(one["site"], one["root"], one["size"]) for one in listed["cascades"]] == [(site, root, 3)]
    assert listed["more"] is False
    assert run("cascade", "--site", "dregs", "--json").json == {"cascades": [], "more": False}
    assert run("cascade", "--limit", "0").status == 2
    assert run("cascade", "--sort", "sice").status == 2
