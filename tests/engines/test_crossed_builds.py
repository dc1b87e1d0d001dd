"""A real build from before tokens in fragments were identifiers, crossed with this one: no token is lost or stays."""

from __future__ import annotations

from typing import Final

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.support.fake_server import SITE, token
from tests.support.page_server import Site

FORMS: Final = ("#gv={}", "?gv={}", "#part&gv={}", "#gv-{}", "?gv-{}", "#part&gv-{}")
"""Links: the first three are those that the earlier build reads."""
OLD: Final = 3
SHARED: Final = "() => grapevine.url('copy')"
BAR: Final = "() => document.querySelector('grapevine-buttons')?.shadowRoot?.querySelectorAll('a, button').length > 3"
FOLLOWED: Final = "() => document.querySelector('grapevine-follow')?.shadowRoot?.querySelector('a')?.localName"


def embed(site: Site, recorder: RecorderServer, earlier_build: dict[str, str]) -> None:
    """Puts a page of each build in place, ``/old`` and ``/new``, and lets the server have the files of both."""
    recorder.joint = "-"
    types = {"js": "text/javascript", "json": "application/json"}
    for name, body in earlier_build.items():
        recorder.files[name] = body.encode(), types[name.rpartition(".")[2]]
    (old,) = (name for name in earlier_build if name.count(".") == 2 and name.endswith(".js"))
    for path, script in (("/old", old), ("/new", "widget.js")):
        snippet = f'<script async src="{recorder.home}{script}" data-site="{SITE}"></script>'
        follow = '<grapevine-follow accounts="x:handle"></grapevine-follow>'
        site.page(path, f'<p id="part">Part of {path}</p>{follow}', snippet=snippet)
    site.page("/between", snippet="")


def test_every_link_is_read_by_both_builds(
    tab: Tab, site: Site, recorder: RecorderServer, earlier_build: dict[str, str]
) -> None:
    embed(site, recorder, earlier_build)
    number = 0
    for path, forms in (("/old", FORMS[:OLD]), ("/new", FORMS)):
        for form in forms:
            number += 1
            own = f"T{number}".ljust(23, "x")
            tab.goto(site.origin + "/between")
            assert tab.visited(site.origin + path + form.format(own)) == f"visit{number}"
            assert recorder.wait("visits", number)[-1]["token"] == own, form
            assert tab.url == site.origin + path + ("#part" if "part" in form else ""), form
            joint = "?gv=" if "part" in form else "#gv=" if path == "/old" else "#gv-"
            assert tab.run(SHARED).startswith(f"{site.origin}{path}{joint}{token(number, 'copy')}"), form
    assert tab.errors() == []


def test_a_tab_goes_from_build_to_build_and_each_finds_its_own_parts(
    tab: Tab, site: Site, recorder: RecorderServer, earlier_build: dict[str, str]
) -> None:
    embed(site, recorder, earlier_build)
    link = f"/old#gv={'T'.ljust(23, 'x')}"
    for path, joint in ((link, "="), ("/new", "-"), ("/old", "="), ("/new", "-")):
        assert tab.visited(site.origin + path) == "visit1"
        tab.until(BAR)
        tab.until(FOLLOWED)
        assert tab.run(SHARED).startswith(f"{site.origin}{path.partition('#')[0]}#gv{joint}")
    recorder.wait("views", 3)
    assert len(recorder.of("visits")) == 1
    assert tab.errors() == []
