"""The commands ``links``."""

from __future__ import annotations

import csv
import io
import sys
from pathlib import Path

import pytest

from grapevine.cli import links_csv
from tests.cli.terminal import ORIGIN, Terminal

MENU = f"{ORIGIN}/menu"


def test_links_are_made_and_listed(run: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    site = run.add_site()
    assert run("links", "list", site).out == f'No link yet; make one with: grapevine links create "Lees" {ORIGIN}/\n'
    done = run("links", "create", site, MENU, "--campaign", "spring", "--external-id", "7", "--place", "door", "--keep")
    assert (done.status, done.err) == (0, "")
    first = done.json
    assert first["url"] == f"{MENU}#gv-{first['token']}"
    assert (first["campaign"], first["external_id"], first["keep"], first["short_url"]) == ("spring", "7", True, None)
    assert [place["at"] for place in first["places"]] == ["door"]
    monkeypatch.setenv("GRAPEVINE_BASE_URL", "https://share.example.com")
    monkeypatch.setenv("GRAPEVINE_PREFIX", "/g")
    second = run("links", "create", "Lees", MENU, "--label", "Poster", "--channel", "print", "--json").json
    assert second["short_url"] == f"https://share.example.com/g/s/{second['token']}"
    assert run("token", "inspect", second["url"], "--json").json["channel"] == "print"

    listed = run("links", "list", site, "--json").json
    assert [link["visit"] for link in listed] == [second["visit"], first["visit"]]
    assert second.items() <= listed[0].items()
    assert (listed[0]["clicks"], listed[0]["returns"], listed[0]["max_depth"]) == (0, 0, 0)
    (found,) = run("links", "list", site, "--campaign", "spring", "--json").json
    assert found["visit"] == first["visit"]
    assert run("links", "list", site, "--label", "spring").out == "No link has these names.\n"
    shown = run("links", "list", site)
    assert "Poster" in shown.out
    assert second["short_url"] in shown.out
    assert shown.err == ""
    fewer = run("links", "list", site, "--limit", "1")
    assert "Poster" in fewer.out
    assert "spring" not in fewer.out
    assert "there are more links" in fewer.err


def test_a_terminal_shows_what_to_hand_out(run: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    site = run.add_site()
    monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
    alone = run("links", "create", site, MENU, "--label", "My menu", "--place", "door").out.splitlines()
    assert alone[:2] == ["Hand out this link:", ""]
    assert alone[2].startswith(f"{MENU}#gv-")
    assert 'grapevine links list "Lees" --label "My menu"' in alone
    monkeypatch.setenv("GRAPEVINE_BASE_URL", "https://share.example.com")
    lines = run("links", "create", site, MENU, "--place", "door", "--place", "table-1").out.splitlines()
    short = lines[lines.index("Or this short form, whose clicks are counted as well:") + 2]
    assert short.startswith("https://share.example.com/s/")
    assert f"door     {short}?at=door" in lines
    assert f"table-1  {short}?at=table-1" in lines


def test_what_cannot_be_made(run: Terminal) -> None:
    site = run.add_site()
    for arguments, says in [
        (("https://elsewhere.example/",), "`url` is on https://elsewhere.example, which is not an origin of this site"),
        ((MENU, "--expires", "2020-01-01T00:00:00Z"), "`--expires` must be in the future"),
        ((MENU, "--place", "The door"), "`--place` must be names of 1 to 40 lower-case letters"),
        ((MENU, "--external-id", ""), "`--external-id` must be 1 to 200 printable characters"),
        ((MENU, "--channel", "pigeon"), "`channel` must be one of copy, address"),
    ]:
        done = run("links", "create", site, *arguments)
        assert (done.status, done.out) == (2, ""), done
        assert says in done.err
    assert run("links", "list", site, "--limit", "0").status == 2
    assert run("links", "list", site, "--json").json == []


def test_what_grew_from_a_link_is_shown_with_its_names(run: Terminal) -> None:
    site = run.add_site()
    names = ("--label", "Poster [red]", "--campaign", "spring", "--external-id", "contact-7")
    link = run("links", "create", site, MENU, *names, "--json").json
    first, second = run.chain(site, 2, through=link["token"])
    named = "“Poster [red]”, campaign spring, external id contact-7"
    shown = run("token", "inspect", link["token"]).out
    assert f"Tracked link  {named}\n" in shown
    assert f"0      {link['visit']}  (tracked link)" in shown
    shown = run("token", "inspect", second["tokens"]["copy"]).out
    assert f"Tracked link  {named}, at the root of the chain\n" in shown
    assert first["visit"] in shown
    assert f"{MENU} (tracked link {named})" in " ".join(run("cascade").out.split())
    headline, top, *below = run("cascade", link["visit"]).out.splitlines()
    assert headline.startswith("2 visits, depth 2, breadth 1,")
    assert top.startswith(f"tracked link {named}  /menu  depth 0, ")
    assert len(below) == 2
    inspected = run("token", "inspect", link["token"], "--json").json["resolution"]["link"]
    assert inspected == {
        "token": link["token"], "label": "Poster [red]", "external_id": "contact-7", "campaign": "spring",
    }  # fmt: skip
    bare = run("links", "create", site, MENU, "--json").json
    assert f"Tracked link  {bare['token']}" in run("token", "inspect", bare["token"]).out


def test_a_list_of_contacts(run: Terminal, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site, file = run.add_site(), tmp_path / "contacts.csv"
    monkeypatch.setattr(links_csv, "MOST_LINKS", 2)
    file.write_bytes(
        b"\xef\xbb\xbfName;URL;external_id;places;keep;campaign\r\n"
        + f'Ann;{MENU};1;a b;yes;\r\n\r\nB\xf6b;{ORIGIN}/x;2\r\n"C\nD";{MENU};;;no;own\r\n'.encode()
    )
    done = run("links", "create", site, "--csv", str(file), "--campaign", "spring", "--keep")
    assert (done.status, done.err) == (0, "")
    header, *rows = csv.reader(io.StringIO(done.out))
    assert header == ["Name", "URL", "external_id", "places", "keep", "campaign", *links_csv.ADDED]
    assert [row[:3] for row in rows] == [["Ann", MENU, "1"], ["B\xf6b", f"{ORIGIN}/x", "2"], ["C\nD", MENU, ""]]
    found = {link["token"]: link for link in run("links", "list", site, "--json").json}
    links = [found.pop(row[6]) for row in rows]
    assert not found
    assert [link["url"] for link in links] == [row[7] for row in rows]
    assert [link["campaign"] for link in links] == ["spring", "spring", "own"]
    assert [link["keep"] for link in links] == [True, True, False]
    assert [[place["at"] for place in link["places"]] for link in links] == [["a", "b"], [], []]
    assert len(run("links", "create", site, "--csv", str(file), "--json").json) == 3

    full, late = tmp_path / "full.csv", tmp_path / "late.csv"
    full.write_text(f"url,places\n{MENU},a b c d e f g\n{MENU},a b c d e f g h\n")
    late.write_text(f"url,expires_at\n{MENU},9999-12-31T23:59:59-00:01\n")
    file.write_text(f"url,label\n{MENU},\nhttps://elsewhere.example/,x\n")
    for arguments, says in [
        (("--csv", str(file)), "`line 3: url` is on https://elsewhere.example"),
        (("--csv", str(full)), "`line 3: places` must be at most 7"),
        (("--csv", str(late)), "`line 2: expires_at` must be within"),
        (("--csv", str(tmp_path / "none.csv")), "cannot be read"),
        ((MENU, "--csv", str(file)), "and not both"),
        ((), "name the page that the link leads to, or a list"),
    ]:
        done = run("links", "create", site, *arguments)
        assert (done.status, done.out) == (2, ""), done
        assert says in done.err
    assert len(run("links", "list", site, "--json").json) == 6
