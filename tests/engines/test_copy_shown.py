"""What is shown otherwise than it is written: a copy has the text that the browser would copy, and its own URLs."""

from __future__ import annotations

import re
from typing import Final

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.engines.test_copy_pieces import SELECT, TOKEN
from tests.support.copied_markup import squeeze
from tests.support.page_server import Site

SHOWN: Final = {
    "closed details": "<details><summary>More</summary>§/no <b>no</b></details> §/a",
    "open details": "<details open><summary>More</summary>§/a</details>",
    "details in closed ones": "<details><summary>M</summary><details open>§/no</details></details> §/a",
    "found by a search": "<div hidden=until-found>no §/no</div> §/a",
    "content that is hidden": "<div style='content-visibility:hidden'>no §/no</div> §/a",
    "inert": "<div inert>no §/no</div> §/a",
    "without scripts": "<noscript>no §/no</noscript> §/a",
    "fallback": "<canvas width=9 height=9>no</canvas> <video width=9>no</video> <progress>no</progress> §/a",
    "closed dialogs": "<dialog>no §/no</dialog> <div popover>no</div> §/a",
    "a text area": "x <textarea>§/no</textarea> §/a",
    "an empty text area": "x <textarea placeholder='Your comment'></textarea> §/a",
    "a field": "x <input value='§/no'> §/a",
    "an empty field": "x <input type=email placeholder='Your address'> <input type=search> §/a",
    "a password": "x <input type=password value='secret'> §/a",
    "boxes and buttons": "x <input type=checkbox checked> <input type=submit value=Go> <input type=hidden> §/a",
    "a choice": "x <select><option>one<option selected>two</select> §/a",
    "a form": "<form>Name <input value=Ann> <select><option>one</select><br><textarea>text</textarea></form> §/a",
}
"""`§` is the page's origin; `§/a` is tagged, `§/no` is not."""
TAGGED: Final = re.compile(r"[#?&]" + TOKEN.pattern)


def test_a_copy_has_the_text_that_the_browser_copies(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    page = "".join(f"<section id=case{number}>{body}</section>" for number, body in enumerate(SHOWN.values()))
    page = page.replace("§", site.origin) + "<p>The end.</p>"
    copies = []
    for path, embed in (("/bare", ""), ("/live", recorder.snippet(buttons=""))):
        site.page(path, page, snippet=embed)
        if embed:
            tab.visited(site.origin + path)
        else:
            tab.goto(site.origin + path)
        found = []
        for number in range(len(SHOWN)):
            tab.run(SELECT, number)
            found.append(tab.copy())
        copies.append(found)
        assert tab.errors() == []
    differing = {}
    for name, bare, live in zip(SHOWN, *copies, strict=True):
        texts = [squeeze(bare["text/plain"]), squeeze(TAGGED.sub("", live["text/plain"]))]
        words = re.sub(r"<[^>]*>", "", live["text/html"])
        own = re.findall(r"/(\w+)[#?&]gv[-=][0-9A-Za-z]{23}", live["text/plain"])
        if texts[0] != texts[1] or own != ["a"] or ("no" in words and tab.engine != "firefox"):
            differing[name] = (texts, words, own)
    assert differing == {}
    assert {report["url"] for report in recorder.wait("shares", len(SHOWN))} == {site.origin + "/a"}
