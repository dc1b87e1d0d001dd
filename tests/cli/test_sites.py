"""The commands ``site`` and ``key``."""

from __future__ import annotations

import re

import pytest

from tests.cli.terminal import ORIGIN, Terminal


def test_adding_a_site(run: Terminal, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GRAPEVINE_BASE_URL", "https://share.example.com")
    monkeypatch.setenv("GRAPEVINE_PREFIX", "/g")
    done = run("site", "add", "Lees", "--origin", ORIGIN)
    assert (done.status, done.err) == (0, "")
    assert set(done.json) == {"site", "key", "snippet"}
    assert re.fullmatch("[0-9A-Za-z]{16}", done.json["site"])
    snippet = f'<script async src="https://share.example.com/g/widget.js" data-site="{done.json["site"]}"></script>'
    assert done.json["snippet"] == snippet
    site = done.json["site"]
    assert run("site", "list", "--json").json[0]["snippet"] == snippet
    assert run("site", "set", site, "name=Dregs", "--json").json["snippet"] == snippet
    assert snippet in run("site", "set", site, "name=Lees").out


def test_a_snippet_without_a_base_url_says_so(run: Terminal) -> None:
    done = run("site", "add", "Lees", "--origin", ORIGIN)
    assert "http://127.0.0.1:8000/widget.js" in done.json["snippet"]
    assert "GRAPEVINE_BASE_URL is not set" in done.err


def test_a_wrong_origin(run: Terminal) -> None:
    done = run("site", "add", "Lees", "--origin", "a.example")
    assert done.status == 2
    assert "`origin` must begin with http:// or https://" in done.err


def test_listing_and_changing_sites(run: Terminal) -> None:
    assert run("migrate").status == 0
    assert "No site yet" in run("site", "list").out
    site = run.add_site("[red]Lees[/red]")
    assert "[red]Lees[/red]" in run("site", "list").out
    changed = run("site", "set", site, "name=Dregs", "param=via", "origin=https://b.example", "--json")
    assert (changed.json["fragment"], changed.json["old_build_seen"]) == ("identifier", None)
    assert 'data-param="via"' in changed.json["snippet"]
    assert "Changed Dregs" in run("site", "set", site, "place=query").out
    (listed,) = run("site", "list", "--json").json
    assert (listed["name"], listed["param"], listed["place"]) == ("Dregs", "via", "query")
    assert listed["origins"] == ["https://b.example"]
    assert run("site", "set", site, "colour=red").status == 2
    assert run("site", "set", site, "colour").status == 2
    assert run("site", "set", "nobody", "name=x").status == 1


def test_how_a_site_writes_tokens_in_fragments(run: Terminal) -> None:
    site = run.add_site()
    assert "#gv-…" in run("site", "list").out
    for form, shown in (("parameter", "#via=…"), ("auto", "#via-…"), ("identifier", "#via-…")):
        assert run("site", "set", site, f"fragment={form}", "param=via").status == 0
        assert run("site", "list", "--json").json[0]["fragment"] == form
        assert shown in run("site", "list").out
    refused = run("site", "set", site, "fragment=query")
    assert refused.status == 2
    assert "`fragment` must be one of auto, identifier, parameter" in refused.err


@pytest.mark.parametrize("name", ["1gv", "-gv", "_gv", "", "g" * 17, "gv.x", "é"])
def test_the_name_of_a_token_begins_with_a_letter(run: Terminal, name: str) -> None:
    refused = run("site", "set", run.add_site(), f"param={name}")
    assert refused.status == 2
    assert "the first a letter" in refused.err


def test_the_contact_of_a_site(run: Terminal) -> None:
    added = run("site", "add", "Lees", "--origin", ORIGIN, "--contact", "privacy@a.example")
    site = added.json["site"]
    contacts = [run("site", "list", "--json").json[0]["contact"]]
    assert "privacy@a.example" in run("site", "list").out
    for text in ("contact=https://a.example/privacy?a=b", "contact="):
        assert run("site", "set", site, text).status == 0
        contacts.append(run("site", "list", "--json").json[0]["contact"])
    assert contacts == ["privacy@a.example", "https://a.example/privacy?a=b", None]
    for refused in (
        run("site", "set", site, "contact=javascript:alert(1)"),
        run("site", "add", "Lees", "--origin", ORIGIN, "--contact", "nobody"),
    ):
        assert refused.status == 2
        assert "a contact is like privacy@example.com or https://example.com/privacy" in refused.err


def test_parameters_that_a_site_keeps(run: Terminal) -> None:
    site = run.add_site()
    changed = run("site", "set", site, "keep=si,gclid gclid", "--json").json
    assert (changed["keep"], 'data-keep="gclid si"' in changed["snippet"]) == ("gclid si", True)
    assert "gclid si" in " ".join(run("site", "list").out.split())
    for wrong in ("keep=*", "keep=a=b", "keep=a&b"):
        refused = run("site", "set", site, wrong)
        assert (refused.status, "`keep` must be names of query parameters" in refused.err) == (2, True)
    assert "data-keep" not in run("site", "set", site, "keep=", "--json").json["snippet"]


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


def test_a_key_for_several_sites(run: Terminal) -> None:
    sites = [run.add_site(name) for name in ("Lees", "Dregs", "Third")]
    made = run("key", "add", "Lees", sites[1], "--scope", "read", "--json").json
    assert (made["sites"], made["every_site"], made["name"]) == (sites[:2], False, "read key")
    every = run("key", "add", "--every-site", "--scope", "admin", "--json").json
    assert (every["sites"], every["every_site"]) == ([], True)
    for site, ids in (("Lees", {made["id"]}), ("Dregs", {made["id"]}), ("Third", set())):
        listed = {key["id"] for key in run("key", "list", site, "--json").json if key["name"] != "first key"}
        assert listed == ids
    shown = run("key", "list").out
    assert "every site" in shown
    assert len(run("key", "list", "--json").json) == 5
    for wrong, status in (("", 2), ("Lees --every-site", 2), ("nobody", 1)):
        assert run("key", "add", *wrong.split(), "--scope", "read").status == status
    assert len(run("key", "list", "--json").json) == 5
    assert run("site", "delete", "Dregs", "--yes", "Dregs").status == 0
    (left,) = [key for key in run("key", "list", "--json").json if key["id"] == made["id"]]
    assert left["sites"] == sites[:1]
    assert run("key", "revoke", made["id"]).status == 0
