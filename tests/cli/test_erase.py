"""The command ``erase``."""

from __future__ import annotations

import pytest

from tests.cli.terminal import Terminal


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
