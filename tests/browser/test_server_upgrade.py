"""A server with its pages is brought to this version: the one before is real, from the history of the project.

Needs that history (``git fetch --unshallow`` in a shallow clone).
"""

from __future__ import annotations

import io
import json
import subprocess
import sys
import tarfile
from itertools import product
from pathlib import Path

import httpx
import pytest
from playwright.sync_api import Page

from tests.bench.ingest import free_port
from tests.browser.conftest import Visitor
from tests.browser.demo import ARRIVED
from tests.browser.fake_collect_api import until
from tests.support.built_widget import Built
from tests.support.page_server import Site
from tests.support.server_process import Installation

BEFORE = "e9b63b21"
"""The last commit whose widget reads tokens of the form ``gv=TOKEN`` alone."""
STATE = "key => JSON.parse(sessionStorage['grapevine:' + key])"


def check_out(revision: str, folder: Path, root: Path) -> None:
    """Unpacks the project as it was at ``revision``, and builds its widget."""
    archive = subprocess.run(["git", "-C", root, "archive", revision], check=True, capture_output=True)  # noqa: S603, S607
    with tarfile.open(fileobj=io.BytesIO(archive.stdout)) as files:
        files.extractall(folder, filter="data")
    subprocess.run([sys.executable, "build.py"], cwd=folder, check=True, capture_output=True)


class Pages:
    """The pages of a site with both builds, ``/old`` and ``/new``, and the people who read them."""

    def __init__(self, site: Site, visitor: Visitor, key: str) -> None:
        self.origin = site.origin
        self._visitor = visitor
        self._key = key

    def passed_on(self, link: str) -> str:
        """Opens a link in a new browser, and returns the one that its reader shares. Nothing may be lost on the way."""
        page: Page = self._visitor().new_page()
        page.goto(link)
        page.wait_for_function(ARRIVED)
        assert page.url == link.partition("#")[0]
        returned = page.evaluate(STATE, self._key)["returned"]
        assert (returned is not None and returned["valid"]) == ("#" in link), link
        return str(page.evaluate("() => grapevine.url('copy')"))

    def pass_on(self, joint: str) -> str:
        """Hands a link from build to build in every order; each shared one is written with ``joint``."""
        link = f"{self.origin}/old"
        for path in ("/old", "/new", "/new", "/old", "/old"):
            link = self.passed_on(link.replace("/new", path).replace("/old", path))
            assert link.startswith(f"{self.origin}{path}#gv{joint}"), link
        return link


@pytest.mark.slow
def test_links_from_before_and_after_are_read_by_pages_from_before_and_after(
    visitor: Visitor, site: Site, built: Built, tmp_path: Path, project_root: Path
) -> None:
    check_out(BEFORE, tmp_path / "before", project_root)
    installation = Installation(tmp_path, tmp_path, "", "")
    installation.more_settings = {"PYTHONPATH": str(tmp_path / "before/server")}
    port = str(free_port())
    server = f"http://127.0.0.1:{port}"
    command = ["-m", "grapevine", "serve", "--port", port]
    key = json.loads(installation.run("site", "add", "Crossed", "--origin", site.origin).out)["site"]
    site.file("/new.js", built.scripts["widget"], "text/javascript")
    for path in ("/old", "/new"):
        snippet = f'<script async src="{path}.js" data-site="{key}" data-endpoint="{server}" data-buttons=""></script>'
        site.page(path, snippet=snippet)
    pages = Pages(site, visitor, key)

    with installation.serving(command) as running:
        site.file("/old.js", httpx.get(f"{server}/widget.js").content, "text/javascript")
        assert site.answers["/old.js"].body != site.answers["/new.js"].body
        first = pages.pass_on("=")
        assert running.end().status == 0

    installation.more_settings = {}
    with installation.serving(command) as running:
        second = pages.pass_on("=")
        assert installation.run("site", "set", key, "fragment=identifier").status == 0
        look = visitor().new_page()
        until(look, lambda: httpx.get(f"{server}/s/{second[-23:]}").headers["location"], lambda to: "#gv-" in to)
        for link, form in product((first, second), ("#gv=", "?gv=", "#gv-", "?gv-")):
            opened = f"{site.origin}/new{form}{link[-23:]}"
            page = visitor().new_page()
            page.goto(opened)
            page.wait_for_function(ARRIVED)
            assert page.url == f"{site.origin}/new"
            assert page.evaluate(STATE, key)["returned"]["valid"], opened
            assert page.evaluate("() => grapevine.url('copy')").startswith(f"{site.origin}/new#gv-")
        assert running.end().status == 0
