"""The demo's own pages pass the checks that `grapevine doctor URL` makes of a page."""

from __future__ import annotations

from pathlib import Path

import pytest

from grapevine.demo.site import demo_folder
from grapevine.doctor.page.csp import check_policies
from grapevine.doctor.page.embeds import find_embeds
from grapevine.doctor.page.fetch import Fetched
from grapevine.doctor.page.fragments import check_fragments
from grapevine.doctor.page.held_back import check_held_back
from grapevine.doctor.page.other_scripts import check_order
from grapevine.doctor.page.page import read_page
from grapevine.doctor.page.snippet import check_line, check_missing
from grapevine.web.demo_site import fill
from tests.unit.doctor.pages import HERE, KEY

FOLDER = demo_folder()
PAGES = sorted(
    path.relative_to(FOLDER)
    for path in FOLDER.rglob("*.html")
    if path.name != "404.html" and path.parent.name != "playground"
)


def test_the_preview_of_the_playground_is_seen_to_add_the_code() -> None:
    html = fill(FOLDER / "playground/preview.html", {"GRAPEVINE": "https://share.example", "SITE": KEY})
    page = read_page(Fetched("https://a.example/", 200, (), html.encode()))
    assert [finding.code for finding in check_missing(page, HERE, [])] == ["snippet-added-by-script"]


@pytest.mark.parametrize("path", PAGES, ids=str)
def test_a_page_of_the_demo_is_counted(path: Path) -> None:
    html = fill(FOLDER / path, {"GRAPEVINE": "https://share.example", "SITE": KEY})
    page = read_page(Fetched(f"https://a.example/{path}", 200, (), html.encode()))
    embeds = find_embeds(page, HERE)
    assert len(embeds) == 1
    scripts = [each.text for each in page.scripts]
    found = [
        *check_line(page, embeds, HERE),
        *check_held_back(embeds[0]),
        *check_policies(page, embeds[0]),
        *check_fragments(page, embeds[0], scripts, HERE),
        *check_order(page, embeds[0]),
    ]
    assert not [finding for finding in found if finding.level != "ok"]
