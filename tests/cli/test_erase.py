"""The command ``erase``."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.terminal import ORIGIN, Terminal


@pytest.mark.parametrize("named", ["token", "visit"])
def test_erasing_a_visit(run: Terminal, named: str) -> None:
    site = run.add_site()
    first, second, third = run.chain(site)
    text = second["tokens"]["copy"] if named == "token" else second["visit"]
    done = run("erase", site, text)
    assert (done.status, done.err) == (0, "")
    assert done.out.startswith(f"Erased the visit {second['visit']}.")
    assert "stay returns" in done.out
    again = run("erase", site, text)
    assert (again.status, again.out) == (1, f"The visit {second['visit']} is not here: it was erased before.\n")
    inspected = run("token", "inspect", third["tokens"]["copy"], "--json").json["resolution"]["chain"]
    assert [node.get("erased", False) for node in inspected] == [False, True, False]
    assert run("doctor").out.count("counts") > 0
    assert run("erase", site, first["visit"], "--json").json == {"visit": first["visit"], "erased": True}
    assert run("erase", site, first["visit"], "--json").json == {"visit": first["visit"], "erased": False}


def test_erasing_the_links_made_for_somebody(run: Terminal) -> None:
    site = run.add_site()
    for campaign, number in (("spring", "7"), ("summer", "7"), ("summer", "8")):
        run("links", "create", site, f"{ORIGIN}/menu", "--campaign", campaign, "--external-id", number, "--json")
    done = run("erase", site, "--external-id", "7")
    assert (done.status, done.err) == (0, "")
    assert done.out == "2 links were deleted, with clicks and names. Visits through them stay returns.\n"
    assert [link["external_id"] for link in run("links", "list", site, "--json").json] == ["8"]
    again = run("erase", site, "--external-id", "7")
    assert (again.status, again.out) == (1, "No link of this site has the external id 7.\n")
    assert run("erase", site, "--external-id", " 8 ", "--json").json == {"external_id": "8", "deleted": 1}
    for arguments in ((), ("00000000001", "--external-id", "8")):
        refused = run("erase", site, *arguments)
        assert (refused.status, refused.out) == (2, "")
        assert "or --external-id has to be given, and not both" in refused.err


def test_links_are_found_by_their_names_after_a_restore(
    run: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The key of their hashes is in the backup; so are words, which stay taken."""
    monkeypatch.setenv("GRAPEVINE_SECRET_KEYS", "k" * 32)
    site = run.add_site()
    link = ("links", "create", site, f"{ORIGIN}/menu", "--external-id", "7")
    made = run(*link, "--word", "wine-bar", "--json").json
    assert run("backup", str(tmp_path / "saved")).status == 0
    monkeypatch.setenv("GRAPEVINE_DATABASE", f"sqlite:///{tmp_path / 'other.sqlite3'}")
    assert run("restore", str(tmp_path / "saved")).status == 0
    assert [each["visit"] for each in run("links", "list", site, "--external-id", "7", "--json").json] == [
        made["visit"]
    ]
    assert run(*link, "--word", "winebar").status != 0
    assert run("erase", site, "--external-id", "7").out.startswith("1 link was deleted")
    assert run(*link, "--word", "winebar").status == 0
    assert run("doctor").status == 0


def test_what_names_no_visit_is_refused(run: Terminal) -> None:
    site, other = run.add_site("Lees"), run.add_site("Dregs")
    visit = run.chain(site)[0]
    for arguments, status, says in [
        ((site, "abc"), 2, "neither the id of a visit nor a token"),
        ((other, visit["tokens"]["copy"]), 2, "neither the id of a visit nor a token"),
        (("nowhere", visit["visit"]), 1, "no site of this server"),
    ]:
        done = run("erase", *arguments)
        assert (done.status, done.out) == (status, ""), done
        assert says in done.err
    done = run("erase", site, "00000000001")
    assert (done.status, done.err) == (1, "")
    assert "is not here: it is past retention" in done.out
