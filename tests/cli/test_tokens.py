"""The command ``token inspect``."""

from __future__ import annotations

from grapevine.domain import channels, ids
from grapevine.serving.app import system_clock
from tests.cli.terminal import ORIGIN, Terminal
from tests.support.user_agents import CHROME


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


def test_a_chain_of_driven_browsers_is_shown_with_their_mark(run: Terminal) -> None:
    """So that an installation can be tested with Playwright or Selenium, whose visits stand in no number."""
    site = run.add_site()
    first, second, _ = run.chain(site, agent=CHROME.replace("Chrome", "HeadlessChrome"))
    shown = run("token", "inspect", second["tokens"]["copy"]).out
    assert f"{first['visit']} (driven)" in shown
    assert f"{second['visit']} (driven)" in shown
    assert (
        "driven: a program controlled the browser, as in an automated test. Such a visit counts in no number." in shown
    )
    assert "(driven)" not in run("token", "inspect", run.chain(run.add_site("Dregs"))[1]["tokens"]["copy"]).out
    assert "driven 3" in run("stats", site).out


def test_a_very_long_chain_is_cut_in_the_middle(run: Terminal) -> None:
    visits = run.chain(run.add_site(), 210)
    token = visits[-1]["tokens"]["copy"]
    shown = run("token", "inspect", token).out
    assert "10 visits left out" in " ".join(shown.split())
    assert all(visits[index]["visit"] in shown for index in (0, 11, 209))
    assert visits[10]["visit"] not in shown
    resolution = run("token", "inspect", token, "--json").json["resolution"]
    assert (resolution["omitted"], len(resolution["chain"])) == (10, 200)
    drawn = run("cascade", visits[0]["visit"]).out
    assert drawn.count("\n") <= 1 + 64 + 1
    assert "146 visits not drawn: at most 1,000 are, down to depth 63. --json has all of them." in drawn
    assert len(run("cascade", visits[0]["visit"], "--json").json["nodes"]) == 210


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


def test_a_whole_address_is_inspected(run: Terminal) -> None:
    site = run.add_site()
    token = run.chain(site)[0]["tokens"]["copy"]
    run("site", "set", site, "param=via")
    for address in (
        f"{ORIGIN}/page#gv-{token}", f"{ORIGIN}/page?gv={token}", f"{ORIGIN}/page?a=1&via={token}#top",
        f"{ORIGIN}/#via={token}.", f"https://elsewhere.example/s/{token}", f"https://elsewhere.example/g/s/{token}/qr.svg",
        f"https://elsewhere.example/about/{token}).", f"See {ORIGIN}/page#via-{token}, it is good", f" {token}… ",
        f"https://mail.example/?u=https%3A%2F%2Fa.example%2F%23gv-{token}", f"a.example/page#gv-{token}",
    ):  # fmt: skip
        found = run("token", "inspect", address, "--json")
        assert (found.status, found.json["token"], found.json["valid"]) == (0, token, True), address
    for address, says in (
        (f"{ORIGIN}/page", "The address has no token: that is 23 letters and digits after #via- or ?via= in the"),
        (f"{ORIGIN}/page#gv-{token[:9]}", "no whole token: after gv- it has 9 characters, and a token has 23. It may"),
        (f"{ORIGIN}/page?via={token}0", "no whole token: after via= it has 24 characters"),
        ("a.example", "The address has no token"),
        ("https://elsewhere.example/s/short", "The address has no token"),
        (f"{ORIGIN}/#gv-{'z' * 23}", "It looks like a token, but"),
    ):
        wrong = run("token", "inspect", address)
        assert (wrong.status, wrong.out.count("\n"), says in wrong.out) == (1, 1, True), wrong.out
    assert run("token", "inspect", ORIGIN, "--json").json["reason"] == "not-a-token"


def test_inspecting_without_any_site(run: Terminal) -> None:
    assert run("migrate").status == 0
    done = run("token", "inspect", "0" * 23)
    assert done.out == "It looks like a token, but this server has no site yet that could have signed it.\n"
