"""Old and new builds of the widget, links and servers, crossed: no token is lost, none stays in the address bar.

The old build is a real one, from before tokens in fragments were identifiers; the server of this version serves it as
it served it then. The server that does not say how tokens are written is the stand-in.
"""

from __future__ import annotations

import re
from typing import NamedTuple

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visitor
from tests.browser.demo import ARRIVED, Demo
from tests.browser.fake_collect_api import HOME, Recorder, until
from tests.support.built_widget import Built
from tests.support.fake_server import snippet as embed
from tests.support.fake_server import token
from tests.support.page_server import Site

KEY = "() => document.querySelector('[data-site]').dataset.site"
SHARED = "() => grapevine.url('copy')"
FORMS = ("#gv={}", "?gv={}", "#part&gv={}", "#gv-{}", "?gv-{}", "#part&gv-{}")


class Embedding(NamedTuple):
    """A site with a page for each build of the widget: ``/old`` and ``/new``."""

    key: str
    pages: Site
    demo: Demo

    def write(self, form: str, visitor: Visitor) -> str:
        """Makes the site write tokens in this form; returns a token of a page with the new build, shared by copying."""
        self.demo.run("site", "set", self.key, f"fragment={form}")
        page = self.open(visitor, "/new")
        token = str(page.evaluate(SHARED))[-23:]
        until(page, lambda: self.follow(token), lambda to: ("#gv-" in to) == (form == "identifier"))
        return token

    def follow(self, token: str) -> str:
        """Where a short link leads."""
        return self.demo.client.get(f"/s/{token}").headers["location"]

    def open(self, visitor: Visitor, path: str) -> Page:
        """Opens a page in a new browser and waits until its visit is known."""
        page = visitor().new_page()
        page.goto(path if "://" in path else self.pages.origin + path)
        page.wait_for_function(ARRIVED)
        return page


def script_of(build: dict[str, str]) -> str:
    """The name of the script itself among the files of a build."""
    (name,) = (name for name in build if name.count(".") == 2 and name.endswith(".js"))
    return name


@pytest.fixture
def embedding(demo: Demo, site: Site, earlier_build: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> Embedding:
    monkeypatch.setenv("GRAPEVINE_BASE_URL", demo.server)
    key = demo.add_site("Crossed", site.origin)
    for path, script in (("/old", script_of(earlier_build)), ("/new", "widget.js")):
        snippet = f'<script async src="{demo.server}/{script}" data-site="{key}" data-buttons="copy"></script>'
        site.page(path, f'<p id="part">Part of {path}</p>', snippet=snippet)
    return Embedding(key, site, demo)


def arrived(page: Page) -> tuple[str, bool]:
    """The path and fragment in the address bar, and whether the tab knows that its visit is a return."""
    state = page.evaluate("key => JSON.parse(sessionStorage[key])", f"grapevine:{page.evaluate(KEY)}")
    return page.url.partition("//")[2].partition("/")[2], bool(state["returned"] and state["returned"]["valid"])


def test_links_go_from_build_to_build_while_a_site_has_both(embedding: Embedding, visitor: Visitor) -> None:
    embedding.write("parameter", visitor)
    link = embedding.pages.origin + "/old"
    for opened, other in (("/old", "/new"), ("/new", "/old"), ("/old", "/new"), ("/new", "/new")):
        page = embedding.open(visitor, link)
        assert arrived(page) == (opened[1:], "#" in link)
        link = page.evaluate(SHARED)
        assert link.startswith(f"{embedding.pages.origin}{opened}#gv="), link
        link = link.replace(opened, other)
    short = embedding.follow(link[-23:]).replace("/#", "/old#")
    assert arrived(embedding.open(visitor, short)) == ("old", True)


@pytest.mark.parametrize("form", ["identifier", pytest.param("parameter", marks=pytest.mark.slow)])
def test_every_link_is_read_by_the_new_build(embedding: Embedding, visitor: Visitor, form: str) -> None:
    token = embedding.write(form, visitor)
    joint = {"identifier": "-", "parameter": "="}[form]
    assert embedding.follow(token) == f"{embedding.pages.origin}/#gv{joint}{token}"
    assert embedding.follow(f"{token}).") == f"{embedding.pages.origin}/#gv{joint}{token}"
    for link in FORMS:
        page = embedding.open(visitor, "/new" + link.format(token))
        assert arrived(page) == ("new#part" if "part" in link else "new", True), link
        assert page.evaluate(SHARED).partition("/new")[2].startswith("?gv=" if "part" in link else f"#gv{joint}")


def test_the_old_build_works_on_with_a_server_of_this_version(embedding: Embedding, visitor: Visitor) -> None:
    token = embedding.write("identifier", visitor)
    for link in FORMS[:3]:
        page = embedding.open(visitor, "/old" + link.format(token))
        assert arrived(page) == ("old#part" if "part" in link else "old", True), link
        assert re.fullmatch(r".*/old(\?gv=\w{23}#part|#gv=\w{23})", page.evaluate(SHARED))


def test_a_tab_goes_from_build_to_build(embedding: Embedding, visitor: Visitor) -> None:
    """As when a page is opened from a cache, or the server is brought to a new version, or back."""
    token = embedding.write("identifier", visitor)
    page = embedding.open(visitor, f"/old#gv={token}")
    visit = page.evaluate("() => grapevine.visit")
    for path, joint in (("/new", "-"), ("/old", "="), ("/new", "-")):
        page.goto(embedding.pages.origin + path)
        page.wait_for_function(ARRIVED)
        assert page.evaluate("() => grapevine.visit") == visit
        assert page.evaluate(SHARED).startswith(f"{embedding.pages.origin}{path}#gv{joint}")


def test_the_new_build_writes_the_old_form_for_a_server_that_asks_for_none(
    visitor: Visitor, site: Site, built: Built
) -> None:
    recorder = Recorder(built.scripts["widget"], built.loaded_later)
    context = visitor()
    recorder.attach(context)
    site.page("/p", snippet=embed(HOME, buttons="copy"))
    page = context.new_page()
    for number, link in enumerate(FORMS, 1):
        page.goto("about:blank")
        page.goto(f"{site.origin}/p{link.format(f'T{number}'.ljust(23, 'x'))}")
        page.wait_for_function(f"() => window.grapevine?.visit == 'visit{number}'")
        assert recorder.of("visits")[-1]["token"] == f"T{number}".ljust(23, "x")
        assert page.url == site.origin + ("/p#part" if "part" in link else "/p")
        assert f"gv={token(number, 'copy')}" in page.evaluate(SHARED)
