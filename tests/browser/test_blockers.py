"""A site that chose its own names: nothing on its page or on the wire has a name that a blocker's list could know."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from subprocess import PIPE
from urllib.parse import urlsplit

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor
from tests.browser.demo import ARRIVED
from tests.support.browsers import copy
from tests.support.page_server import Site, serve_site

KNOWN = re.compile(r"grapevine|share|gv[=-]", re.IGNORECASE)
REPORT = "/leaf/v1/shares"
"""The one word that is left, below the site's own prefix: the call that reports a share."""
SECONDS = 60

NAMES = """() => [...document.querySelectorAll('*')].flatMap(element => [
  element.localName,
  ...[...element.attributes].filter(({name}) => !name.startsWith('data-')).flatMap(({name, value}) => [name, value]),
])"""
"""The parts of HTML that a cosmetic filter can match: names, ids, classes, all other attributes but data-*."""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with serve_site() as served:
        yield served


@pytest.fixture(scope="module")
def snippet(site: Site, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """What `site set` prints on a server with a prefix that runs, for a site with names of its own."""
    environment = dict(os.environ) | {
        "GRAPEVINE_DATABASE": f"sqlite:///{tmp_path_factory.mktemp('blockers')}/blockers.sqlite3",
        "GRAPEVINE_PREFIX": "/leaf",
        "GRAPEVINE_BASE_URL": "http://server.example",
    }

    def run(*arguments: str) -> dict[str, str]:
        command = [sys.executable, "-m", "grapevine", *arguments, "--json"]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=True)  # noqa: S603
        return dict(json.loads(done.stdout))

    key = run("site", "add", "Lees", "--origin", site.origin)["site"]
    line = run("site", "set", key, "param=via", "element=lees")["snippet"]
    serve = [sys.executable, "-m", "grapevine", "serve", "--port", "0"]
    with subprocess.Popen(serve, env=environment, stdout=PIPE, stderr=PIPE, text=True) as server:  # noqa: S603
        assert server.stdout is not None
        address = re.search(r"http://[\w.:]+", server.stdout.readline())
        try:
            assert address
            yield line.replace("http://server.example", address[0])
        finally:
            server.send_signal(signal.SIGTERM)
            server.communicate(timeout=SECONDS)


@pytest.fixture
def page(visitor: Visitor) -> Page:
    return visitor().new_page()


def heard(page: Page) -> list[str]:
    """Returns a list that grows by each URL that the page requests."""
    urls: list[str] = []
    page.on("request", lambda request: urls.append(request.url))
    return urls


def test_no_name_that_a_list_could_know(site: Site, snippet: str, page: Page) -> None:
    body = """<p><a href="/b">Read on</a></p><lees-buttons channels="copy qr"></lees-buttons>
      <lees-follow accounts="x:lees"></lees-follow><lees-survey></lees-survey><lees-forget></lees-forget>"""
    url = site.page("/a", body, snippet=snippet.replace("></", ' data-counts="on" data-address-bar="on"></'))
    urls = heard(page)
    page.goto(url)
    page.wait_for_function(ARRIVED)
    expect(page.locator("lees-buttons[position] [part=bar]")).to_be_visible()
    expect(page.locator("lees-buttons:not([position]) [part=button]")).to_have_count(2)
    expect(page.locator("lees-follow [part=link]")).to_have_count(1)
    expect(page.locator("lees-survey input")).to_be_visible()
    expect(page.locator("lees-forget button")).to_be_visible()
    page.locator("lees-buttons:not([position]) [data-channel=qr]").click()
    expect(page.locator("lees-buttons [part=panel], lees-panel [part=panel]").first).to_be_visible()
    page.wait_for_function("() => location.hash.startsWith('#via-')")
    assert [name for name in page.evaluate(NAMES) if KNOWN.search(name)] == []
    asked = [urlsplit(url).path for url in urls if not url.startswith(site.origin)]
    assert {path.rpartition("/")[0] for path in asked} >= {"/leaf", "/leaf/v1"}
    assert all(path.startswith("/leaf/") for path in asked)
    assert {urlsplit(url).path for url in urls if KNOWN.search(url)} == {REPORT}


def test_copies_are_tagged_with_no_button_on_the_page(site: Site, snippet: str, page: Page) -> None:
    url = site.page(
        "/a", '<p id="p"><a href="/b">Read on</a></p>', snippet=snippet.replace("></", ' data-buttons=""></')
    )
    urls = heard(page)
    page.goto(url)
    page.wait_for_function(ARRIVED)
    with page.expect_response("**/leaf/v1/shares") as reported:
        assert re.search(r'/b#via-[0-9A-Za-z]{23}"', copy(page, "#p")["text/html"])
    assert reported.value.status == 200
    assert [name for name in page.evaluate(NAMES) if KNOWN.search(name) or name.startswith("lees-")] == []
    assert {urlsplit(url).path for url in urls if KNOWN.search(url)} == {REPORT}
