"""Addresses in pieces, cut ones, and links without a box: each kind on one page, copied without and with the widget."""

from __future__ import annotations

import re
from typing import Final, NamedTuple
from urllib.parse import unquote

import pytest

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.support.copied_markup import markup, squeeze
from tests.support.page_server import Site

TOKEN: Final = re.compile(r"(gv[-=])[0-9A-Za-z]{23}")
TAGGED_LINK: Final = re.compile(r'href="([^"]*?)[#?&](?:amp;)?gv[-=][0-9A-Za-z]{23}')
SELECT: Final = """number => {
  document.activeElement?.blur();
  const all = document.querySelector(`#case${number} #x`) || document.querySelector(`#case${number}`);
  getSelection().selectAllChildren(all);
}"""


class Copied(NamedTuple):
    """`§` is the page's origin, `‡` its host, `¤` stands for the token that the widget adds."""

    body: str
    text: str
    """The plain text with the widget; white space does not count."""
    shared: str | None
    """The URL of the report, after the origin; None where there is none."""
    links: tuple[str, ...] = ()
    """The links that are tagged."""


PIECES: Final = {
    "wbr": Copied("Go to §/very/<wbr>long/path now.", "Go to §/very/long/path¤ now.", "/very/long/path"),
    "several wbr": Copied("§<wbr>/a<wbr>/b<wbr>?c=d", "§/a/b?c=d¤", "/a/b?c=d"),
    "mark": Copied("See §/very/<mark>long</mark>/path.", "See §/very/long/path¤.", "/very/long/path"),
    "comment": Copied("See §/very/<!-- c -->long, or not", "See §/very/long¤, or not", "/very/long"),
    "text nodes of a script": Copied(
        "§/first<script>x.append('/second', '/third')</script>", "§/first/second/third¤", "/first/second/third"
    ),
    "coloured syntax": Copied("get <i>http</i><b>://</b><i>‡</i><b>/a</b><i>?b=1</i>;", "get §/a?b=1¤;", "/a?b=1"),
    "emphasis at its end": Copied("(see §/a<b>.</b>)", "(see §/a¤.)", "/a"),
    "inline blocks": Copied(
        "§/<span style='display:inline-block'>a</span><span style='display:inline-flex'>b</span>", "§/ab¤", "/ab"
    ),
    "soft hyphens": Copied(
        "§/soft&shy;hy&shy;phen/zero&#8203;width", "§/soft\xadhy\xadphen/zero\u200bwidth¤", "/softhyphen/zerowidth"
    ),
    "hidden pieces": Copied("§/a<span hidden>/no</span><span style='display:none'>/nor</span>/b", "§/a/b¤", "/a/b"),
    "two addresses": Copied("§/<i>a</i> and §/<i>b</i>", "§/a¤ and §/b¤", "/a"),
    "a line break": Copied("§/a<br>b", "§/a¤ b", "/a"),
    "blocks": Copied("<div id=x><div>§/a</div><div>b</div>§/<b>c</b><p>d</p></div>", "§/a¤ b §/c¤ d", "/a"),
    "beside code": Copied("§/<b>a</b> <code>§/<b>b</b></code> §/<b>b</b>", "§/a¤ §/b §/b¤", "/a"),
    "partly code": Copied("§/a/<code>b</code> now", "§/a/b now", None),
    "partly foreign": Copied("http://‡<b>.example.com</b>/a", "§.example.com/a", None),
    "a link that shows its address": Copied("<a href='/a/b'>§/a/<wbr>b</a> ok", "§/a/b¤ ok", "/a/b", ("§/a/b",)),
}

CUT: Final = {
    "ellipsis": Copied(
        "See <a href='/forum/topic?t=1'>§/forum/to…</a> x",
        "See §/forum/to… x",
        "/forum/topic?t=1",
        ("§/forum/topic?t=1",),
    ),
    "dots in the middle": Copied(
        "<a href='/forum/topic?t=1'>§/for ... ic?t=1</a>",
        "§/for ... ic?t=1",
        "/forum/topic?t=1",
        ("§/forum/topic?t=1",),
    ),
    "dots within": Copied(
        "<a href='/forum/topic?t=1'>§/for...ic?t=1</a>", "§/for...ic?t=1", "/forum/topic?t=1", ("§/forum/topic?t=1",)
    ),
    "an ellipsis of its own": Copied(
        "<a href='/forum/topic'>§/forum/to<span>…</span></a>", "§/forum/to…", "/forum/topic", ("§/forum/topic",)
    ),
    "a bracketed ellipsis": Copied(
        "<a href='/forum/topic'>§/forum/[…]</a>", "§/forum/[…]", "/forum/topic", ("§/forum/topic",)
    ),
    "no mark": Copied("<a href='/forum/topic'>§/forum/to</a>", "§/forum/to", "/forum/topic", ("§/forum/topic",)),
    "only the site": Copied("<a href='/forum/topic'>§</a>", "§", "/forum/topic", ("§/forum/topic",)),
    "a link of a shortener": Copied("<a href='http://t.example/x'>§/forum/to…</a>", "§/forum/to…", None),
    "all of it beside a cut one": Copied("<a href='/f/topic'>§/f/to…</a> §/g", "§/f/to… §/g¤", "/g", ("§/f/topic",)),
    "not cut, of a shortener": Copied("<a href='http://t.example/x'>§/f/topic</a>", "§/f/topic¤", "/f/topic"),
    "not cut, spelled otherwise": Copied(
        "<a href='/f/%C3%A4'>http://‡/g/../f/ä</a> ok", "§/g/../f/ä¤ ok", "/f/%C3%A4", ("§/f/%C3%A4",)
    ),
    "not cut, but for a slash": Copied("<a href='/blog/'>§/blog</a> ok", "§/blog¤ ok", "/blog", ("§/blog/",)),
    "not cut, with a slash more": Copied("<a href='/blog'>§/blog/</a> ok", "§/blog/¤ ok", "/blog/", ("§/blog",)),
    "not cut, at the end of a sentence": Copied("Look at §/f/topic…", "Look at §/f/topic¤…", "/f/topic"),
}

PUNCTUATION: Final = {
    "quotes": Copied("„§/a“ «§/b» ‹§/c› '§/d'", "„§/a¤“ «§/b¤» ‹§/c¤› '§/d¤'", "/a"),
    "brackets": Copied("(§/a) [x](§/b_(c)) {§/d}", "(§/a¤) [x](§/b_(c)¤) {§/d¤}", "/a"),
    "of markdown": Copied("_§/a_ **§/b** ~~§/c~~ `§/d` |§/e|", "_§/a¤_ **§/b¤** ~~§/c¤~~ `§/d¤` |§/e¤|", "/a"),
    "of Chinese": Copied("§/a。§/b，（§/c）「§/d」！《§/e》？", "§/a¤。§/b¤，（§/c¤）「§/d¤」！《§/e¤》？", "/a"),
    "letters of Japanese": Copied("§/佐々木 ok", "§/佐々木¤ ok", "/%E4%BD%90%E3%80%85%E6%9C%A8"),
    "of Arabic": Copied("انظر §/a، ثم §/b؛ §/c؟", "انظر §/a¤، ثم §/b¤؛ §/c¤؟", "/a"),
    "of Hebrew": Copied("ראה §/שלום. או ו-§/b!", "ראה §/שלום¤. או ו-§/b¤!", "/%D7%A9%D7%9C%D7%95%D7%9D"),
    "dashes": Copied("§/a— §/b – §/c-d", "§/a¤— §/b¤ – §/c-d¤", "/a"),
    "marks without width": Copied(
        "&lrm;§/a&lrm; &#8294;§/b&#8297; §/c&#8203; §/d&shy; x",
        "\u200e§/a¤\u200e \u2066§/b¤\u2069 §/c¤\u200b §/d¤\xad x",
        "/a",
    ),
    "commas alone": Copied("§/a,§/b;§/c|§/d", "§/a¤,§/b¤;§/c¤|§/d¤", "/a"),
    "within an address": Copied("§/a,b;c?d|e~f&u=§/g", "§/a,b;c?d|e~f&u=§/g¤", "/a,b;c?d|e~f&u=§/g"),
}

SPELLINGS: Final = {
    "capitals": Copied("HTTP://‡/A", "HTTP://‡/A¤", "/A"),
    "dot segments": Copied("§/a/./b/../c", "§/a/./b/../c¤", "/a/c"),
    "letters": Copied("§/straße?q=ö", "§/straße?q=ö¤", "/stra%C3%9Fe?q=%C3%B6"),
    "a space in a link": Copied("<a href='/a b'>x</a>", "x", "/a%20b", ("§/a%20b",)),
    "braces": Copied("§/a/{b}?c={d}|e", "§/a/{b}?c={d}|e¤", "/a/%7Bb%7D?c={d}|e"),
    "no path": Copied("at §", "at §¤", "/"),
}

BOXLESS: Final = {
    "a link": Copied(
        "Card <a href='/x' style='display:contents'><b>title</b> text</a> end", "Card title text end", "/x", ("§/x",)
    ),
    "a link of a picture": Copied(
        "see <a href='/x' style='display:contents'><img src='/i.png' width=9 height=9> caption</a> end",
        "see caption end",
        "/x",
        ("§/x",),
    ),
    "a link of a block": Copied("<a href='/x' style='display:contents'><div>one</div></a>", "one", "/x", ("§/x",)),
    "a link in one": Copied("<div style='display:contents'><a href='/x'>one</a></div>", "one", "/x", ("§/x",)),
    "an address": Copied("Go <span style='display:contents'>§/x</span> end", "Go §/x¤ end", "/x"),
    "an address in pieces": Copied(
        "Go §/<span style='display:contents'>x<i>y</i></span>z end", "Go §/xyz¤ end", "/xyz"
    ),
    "a hidden link": Copied(
        "one <span hidden><a href='/x' style='display:contents'>two</a></span> three", "one three", None
    ),
}

KINDS: Final = {"pieces": PIECES, "cut": CUT, "punctuation": PUNCTUATION, "spellings": SPELLINGS, "boxless": BOXLESS}


@pytest.mark.parametrize("kind", [*KINDS])
def test_copies_are_tagged_and_otherwise_the_same(tab: Tab, site: Site, recorder: RecorderServer, kind: str) -> None:
    cases = KINDS[kind]
    host = site.origin.removeprefix("http://")
    bodies = [case.body.replace("§", site.origin).replace("‡", host) for case in cases.values()]
    if kind == "pieces":  # a script of the page that appends text nodes
        bodies = [body.replace("x.append", f"case{number}.append") for number, body in enumerate(bodies)]
    page = "".join(f"<section id=case{number}>{body}</section>" for number, body in enumerate(bodies))
    copies = []
    for path, embed in (("/bare", ""), ("/live", recorder.snippet(buttons=""))):
        site.page(path, page + "<p>The end.</p>", snippet=embed)
        if embed:
            tab.visited(site.origin + path)
        else:
            tab.goto(site.origin + path)
        found = []
        for number in range(len(bodies)):
            tab.run(SELECT, number)
            found.append(tab.copy())
        copies.append(found)
        assert tab.errors() == []
    shared = [case.shared for case in cases.values() if case.shared]
    reports = recorder.wait("shares", len(shared))
    expected, got = {}, {}
    for (name, case), bare, live in zip(cases.items(), *copies, strict=True):
        text = case.text.replace("§", site.origin).replace("‡", host)
        expected[name] = (
            squeeze(text.replace("¤", "")),
            squeeze(text),
            [link.replace("§", site.origin) for link in case.links],
            markup(unquote(bare["text/html"])),
        )
        got[name] = (
            squeeze(bare["text/plain"]),
            squeeze(re.sub(r"[#?&]" + TOKEN.pattern, "¤", live["text/plain"])),
            TAGGED_LINK.findall(live["text/html"]),
            markup(unquote(re.sub(r"[#?&](amp;)?" + TOKEN.pattern, "", live["text/html"]))),
        )
    assert {name: each for name, each in got.items() if each != expected[name]} == {
        name: each for name, each in expected.items() if each != got[name]
    }
    assert [report["url"] for report in reports] == [site.origin + url.replace("§", site.origin) for url in shared]
    assert [report.get("title") for report in reports] == [None] * len(shared)  # each of another page
