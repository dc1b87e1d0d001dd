"""Copies from web components: links and addresses in open shadow roots, wherever the selection begins and ends."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.support.copied_markup import squeeze
from tests.support.page_server import Site

PAGE: Final = """<div id="all"><p id="before">Before</p><x-card id="card"></x-card><p id="after">After</p></div>
<div id="slots"><x-link id="link">light <b>words</b></x-link> end</div>
<div id="ignored" data-grapevine-ignore><b>Kept</b> <x-card id="kept"></x-card> end</div>
<div id="shut"><b>§/shown</b> <x-shut id="shutter"></x-shut> end</div>
<p id="last">End.</p>
<script>
const shadow = (host, html, mode = 'open') => {
  const root = host.attachShadow({mode});
  root.innerHTML = html.replaceAll('§', location.origin);
  return root;
};
for (const host of [card, kept]) {
  const root = shadow(host, '<p id=p>Read <a href="/in">this</a> at §/te<wbr>xt now</p><x-in></x-in><p id=q>none</p>');
  shadow(root.querySelector('x-in'), '<em>deep <a href="/deep">link</a></em>');
}
shadow(link, '<a href="/slot"><slot></slot></a>');
shadow(shutter, '<p>closed <a href="/closed">link</a></p>', 'closed');
const inside = css => card.shadowRoot.querySelector(css);
const select = (from, start, to, end) => getSelection().setBaseAndExtent(from, start, to, end);
</script>"""


SOURCE: Final = """() => [document.body, card.shadowRoot, card.shadowRoot.querySelector('x-in').shadowRoot,
  kept.shadowRoot, link.shadowRoot].map(root => root.innerHTML)"""


class Selected(NamedTuple):
    """`¤` stands for the token that the widget adds."""

    select: str
    text: str
    shared: str | None
    links: tuple[str, ...]


CASES: Final = {
    "within": Selected("select(inside('#p'), 0, inside('#p'), 2)", "Read this", "/in", ("/in",)),
    "within, an address": Selected(
        "select(inside('#p').firstChild, 2, inside('#p').lastChild, 4)", "ad this at §/text¤ n", "/text", ("/in",)
    ),
    "a part of a link": Selected("select(inside('a').firstChild, 1, inside('a').firstChild, 3)", "hi", "/in", ("/in",)),
    "from before into it": Selected(
        "select(before.firstChild, 3, inside('a').firstChild, 2)", "ore Read th", "/in", ("/in",)
    ),
    "from it behind it": Selected(
        "select(inside('x-in').shadowRoot.querySelector('em').firstChild, 1, after.firstChild, 2)",
        "eep link none Af",
        "/deep",
        ("/deep",),
    ),
    "all around it": Selected(
        "getSelection().selectAllChildren(all)",
        "Before Read this at §/text¤ now deep link none After",
        "/text",
        ("/in", "/deep"),
    ),
    "a link around a slot": Selected("getSelection().selectAllChildren(slots)", "light words end", "/slot", ("/slot",)),
    "without any link": Selected("select(inside('#q'), 0, inside('#q'), 1)", "none", None, ()),
    "in an ignored region": Selected(
        "getSelection().selectAllChildren(ignored)", "Kept Read this at §/text now deep link none end", None, ()
    ),
    "within an ignored region": Selected(
        "{const p = kept.shadowRoot.querySelector('p'); select(p, 0, p, 2)}", "Read this", None, ()
    ),
    "a closed root": Selected("getSelection().selectAllChildren(shut)", "§/shown closed link end", None, ()),
}


def test_what_is_in_open_shadow_roots_is_tagged_too(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    got, expected = {}, {}
    page = PAGE.replace("§/shown", site.origin + "/shown")
    tab.visited(site.page("/p", page, snippet=recorder.snippet(buttons="")))
    tab.run("() => { select(last, 0, last, 1) }")  # the clipboard part comes with the first selection
    tab.until("() => performance.getEntriesByType('resource').some(one => /clipboard/.test(one.name))")
    held = tab.run(SOURCE)
    for name, case in CASES.items():
        before = len(recorder.of("shares"))
        tab.run(f"() => {{ document.activeElement?.blur(); {case.select} }}")
        copied = tab.copy()
        shared = recorder.wait("shares", before + 1)[before:] if case.shared else recorder.of("shares")[before:]
        tokens = r"#gv[-=][0-9A-Za-z]{23}"
        got[name] = (
            squeeze(re.sub(tokens, "¤", copied["text/plain"])),
            [share["url"] for share in shared],
            re.findall(f'href="([^"]*){tokens}', copied["text/html"]),
        )
        expected[name] = (
            case.text.replace("§", site.origin),
            [site.origin + case.shared] if case.shared else [],
            [site.origin + link for link in case.links],
        )
    assert {name: each for name, each in got.items() if each != expected[name]} == {
        name: each for name, each in expected.items() if each != got[name]
    }
    assert tab.errors() == []
    assert tab.run(SOURCE) == held
