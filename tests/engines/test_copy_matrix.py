"""The copy matrix: own URLs carry the reader's token, all else is as the browser copies it without the widget."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.engines.copies import Case, compare, play
from tests.engines.engine import Open
from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.support.page_server import Site

LONG = "/long?" + "&".join(f"key{n}=value{n}" for n in range(600))
"""More than 8,000 characters."""
MUELLER = "xn--mller-kva.localhost"

LINKS = {
    "a link among words": Case(
        '<p id="x">Read <a href="/a1">this</a> and <b>bold <i>it</i></b>.</p>', links=("§/a1«#gv»",)
    ),
    "a relative link": Case('<p id="x">Read <a href="a2?c=1">a relative link</a>.</p>', links=("§/a2?c=1«#gv»",)),
    "a link with a fragment": Case('<p id="x">Read <a href="/a3#part">it</a>.</p>', links=("§/a3«?gv»#part",)),
    "a link with both": Case('<p id="x">Read <a href="/a?b=1#c">it</a>.</p>', links=("§/a?b=1«&gv»#c",)),
    "a link within the page": Case('<h2 id="x">Head <a href="#part">#</a></h2>', links=("§/p«?gv»#part",)),
    "a text fragment": Case(
        '<p id="x">A <a href="/a#:~:text=a%20b,c">line</a>.</p>', links=("§/a«?gv»#:~:text=a%20b,c",)
    ),
    "a hash route": Case('<p id="x">A <a href="/app#/r?x=1">route</a>.</p>', links=("§/app«?gv»#/r?x=1",)),
    "a hash route, in fragments": Case(
        '<p id="x">A <a href="/app#/r?x=1">route</a>.</p>', links=("§/app#/r?x=1«&gv»",), data={"place": "fragment"}
    ),
    "an old hash route": Case('<p id="x">A <a href="/app#!/r">route</a>.</p>', links=("§/app«?gv»#!/r",)),
    "an old hash route, in queries": Case(
        '<p id="x">A <a href="/app?q#!/r">route</a>.</p>', links=("§/app?q«&gv»#!/r",), data={"place": "query"}
    ),
    "a plain link, in queries": Case(
        '<p id="x">A <a href="/a">b</a>.</p>', links=("§/a«?gv»",), data={"place": "query"}
    ),
    "a plain link, in fragments": Case(
        '<p id="x">A <a href="/a#b">b</a> <a href="/c">d</a></p>',
        links=("§/a#b«&gv»", "§/c«#gv»"),
        data={"place": "fragment"},
    ),
    "another name of the parameter": Case(
        '<p id="x">A <a href="/a">b</a>.</p>', links=("§/a«#ref=V1copy00000000000000000»",), data={"param": "ref"}
    ),
    "a link with a token in its fragment": Case('<p id="x">A <a href="/a#gv=¤">b</a>.</p>', links=("§/a#gv=¤",)),
    "a link with a token in its query": Case(
        '<p id="x">A <a href="/a?b=1&amp;gv=¤#c">b</a>.</p>', links=("§/a?b=1&gv=¤#c",)
    ),
    "a parameter that is no token": Case('<p id="x">A <a href="/a?gv=1">b</a>.</p>', links=("§/a?gv=1«#gv»",)),
    "a very long link": Case(
        f'<p id="x">A <a href="{LONG}">b</a>.</p>'.replace("&", "&amp;"), links=(f"§{LONG}«#gv»",)
    ),
    "words of a link": Case('<p>See <a id="x" href="/a4">what <b>I</b> mean</a></p>', links=("§/a4«#gv»",)),
    "a list entry": Case('<ul><li>one</li><li id="x">two <a href="/a5">a</a></li></ul>', links=("§/a5«#gv»",)),
    "a list": Case('<div id="x"><ol><li>one</li><li><a href="/a">a</a></li></ol></div>', links=("§/a«#gv»",)),
    "a list in a list": Case(
        '<ul id="x"><li>one<ul><li><a href="/a">a</a></li><li>b</li></ul></li><li><a href="/c">c</a></li></ul>',
        links=("§/a«#gv»", "§/c«#gv»"),
    ),
    "a table": Case('<table id="x"><tr><td>one</td><td><a href="/a6">two</a></td></tr></table>', links=("§/a6«#gv»",)),
    "styled text": Case(
        '<p id="x" class="fancy">Read <a class="up" href="/a7">this</a> <em>now</em></p>', links=("§/a7«#gv»",)
    ),
    "a picture in a link": Case(
        '<p id="x">Look: <a href="/a8"><img src="/i.png" alt="A tree"></a></p>', links=("§/a8«#gv»",)
    ),
    "a picture of a map": Case(
        '<p id="x">Look: <img src="/i.png" alt="" usemap="#m"><map name="m"><area href="/i" alt="i"></map> '
        '<a href="/a">a</a></p>',
        links=("§/a«#gv»",),
    ),
    "hidden things": Case(
        '<p id="x">a<span class="none">b<a href="/z">z</a></span><script>1</script> <a href="/a9">d</a></p>',
        links=("§/a9«#gv»",),
    ),
    "what cannot be selected": Case(
        '<p id="x">a<span class="off">c</span> <a href="/a">d</a></p>', links=("§/a«#gv»",)
    ),
    "right to left": Case(
        '<p id="x" dir="rtl">קראו <a href="/a">את זה</a> או <a href="/ש">זה</a> היום</p>',
        links=("§/a«#gv»", "§/%D7%A9«#gv»"),
    ),
    "three links, one foreign": Case(
        '<p id="x"><a href="/a">a</a> <a href="https://example.com/?u=§/a">e</a> <a href="/b">b</a></p>',
        links=("§/a«#gv»", "§/b«#gv»"),
    ),
    "links elsewhere on the machine": Case(
        '<p id="x"><a href="/a">a</a> <a href="http://127.0.0.1:1/a">port</a> <a href="http://localhost/">name</a></p>',
        links=("§/a«#gv»",),
    ),
    "a base": Case(
        '<p id="x">Read <a href="a">this</a> and <a href="/b">that</a></p>',
        head='<base href="/folder/">',
        links=("§/folder/a«#gv»", "§/b«#gv»"),
    ),
    "a foreign base": Case(
        '<p id="x">Read <a href="a">this</a> and <a href="§/b">that</a></p>',
        head='<base href="https://example.com/">',
        links=("§/b«#gv»",),
    ),
    "an international domain": Case(
        '<p id="x">Read <a href="/a">this</a> and <a href="http://127.0.0.1/b">that</a></p>',
        host=MUELLER,
        links=("§/a«#gv»",),
    ),
    "links beside code": Case(
        '<div id="x"><p><a href="/a">a</a></p><pre><a href="/b">b</a></pre><code><a href="/c">c</a></code></div>',
        links=("§/a«#gv»",),
    ),
    "links beside an ignored region": Case(
        '<div id="x"><p data-grapevine-ignore><a href="/b">b</a></p><p><a href="/a">a</a></p></div>',
        links=("§/a«#gv»",),
    ),
    "a link beside a drawn one": Case(
        '<div id="x"><a href="/a">a</a> <svg width="9" height="9"><a href="/s"><text>s</text></a></svg></div>',
        links=("§/a«#gv»",),
    ),
    "a page that came with a token": Case(
        '<h2 id="x">Head <a href="#part">#</a></h2>', path=f"/p#gv={'A' * 23}", links=("§/p«?gv»#part",)
    ),
}

PARTS = {
    "the start of a link": Case('<p>Read <a id="x" href="/a">this page</a> now</p>', span=("#x", 0, "#x", 4)),
    "the middle of a link": Case('<p>Read <a id="x" href="/a">this page</a> now</p>', span=("#x", 2, "#x", 6)),
    "the end of a link": Case('<p>Read <a id="x" href="/a">this page</a> now</p>', span=("#x", 5, "#x", 9)),
    "into a link": Case('<p id="p">Read <a id="x" href="/a">this page</a> now</p>', span=("#p", 2, "#x", 4)),
    "out of a link": Case('<p>Read <a id="x" href="/a">this page</a> <b id="b">now</b></p>', span=("#x", 5, "#b", 2)),
    "from a paragraph into another": Case(
        '<p id="p">One</p><p>Two <a href="/a">two</a></p><ul><li id="q">three</li></ul>', span=("#p", 1, "#q", 2)
    ),
    "from a link into another": Case(
        '<p><a id="p" href="/a">first</a></p><p>and</p><p><a id="q" href="/a">second</a></p>', span=("#p", 2, "#q", 3)
    ),
}

TEXTS = {
    "in a sentence": Case('<p id="x">See §/a, or <b>not</b>.</p>', "See §/a«#gv», or not."),
    "a link that shows its URL": Case(
        '<p id="x">See <a href="§/a">§/a</a> soon.</p>', "See §/a«#gv» soon.", links=("§/a«#gv»",)
    ),
    "three URLs, one foreign": Case('<p id="x">§/a http://127.0.0.1/b §/c</p>', "§/a«#gv» http://127.0.0.1/b §/c«#gv»"),
    "a foreign link beside it": Case('<p id="x">§/a <a href="https://example.com/?u=§/a">c</a></p>', "§/a«#gv» c"),
    "a user name": Case(
        '<p id="x">§/a http://me@127.0.0.1/ http://me:it@127.0.0.1/</p>',
        "§/a«#gv» http://me@127.0.0.1/ http://me:it@127.0.0.1/",
    ),
    "a very long URL": Case(f'<p id="x">§{LONG}</p>'.replace("&", "&amp;"), f"§{LONG}«#gv»"),
    "an international domain": Case(
        '<p id="x">See §/a, http://müller.localhost/b</p>', "See §/a«#gv», http://müller.localhost/b", host=MUELLER
    ),
    "an international domain as people write it": Case(
        '<p id="x">See <i>§/a</i> now</p>', "See §/a«#gv» now", host="müller.localhost"
    ),
    "beside code": Case(
        '<div id="x"><p>See §/a</p><pre>get §/a</pre><p>or <code>§/b</code></p></div>',
        "See §/a«#gv» get §/a or §/b",
    ),
    "after code": Case('<div id="x"><pre>get §/a</pre><p>See §/a (really)</p></div>', "get §/a See §/a«#gv» (really)"),
    "beside an ignored region": Case(
        '<div id="x"><p data-grapevine-ignore>§/b <a href="/b">b</a></p><p>§/a</p></div>', "§/b b §/a«#gv»"
    ),
    "beside an editor": Case('<div id="x"><p>§/a</p><p contenteditable>§/b</p><p>End</p></div>', "§/a«#gv» §/b End"),
    "in several blocks": Case(
        '<div id="x"><h2>§/a</h2><p>§/b</p><ul><li>§/c</li></ul></div>', "§/a«#gv» §/b«#gv» §/c«#gv»"
    ),
    "in the first of several blocks": Case(
        '<p id="p">See §/a soon</p><p id="q">another §/b one</p>', "e §/a«#gv» soon another", span=("#p", 2, "#q", 8)
    ),
    "among hidden things": Case('<p id="x">§/a <i class=none>h §/b</i><script>1</script>.</p>', "§/a«#gv» ."),
    "in capitals": Case(  # a URL that would not find the page
        '<p id="x" class="up">see §/a <i>for</i> more</p>',
        "see §/a«#gv» for more",
        loud=("webkit",),
    ),
    "right to left": Case('<p id="x" dir="rtl">ראו §/ש, או לא</p>', "ראו §/ש«#gv», או לא"),
    "beside relative addresses": Case(
        '<p id="x">§/a <a href="//e.org/q">q</a> <img src="/i.png"> <ins cite="/c">c</ins></p>', "§/a«#gv» q c"
    ),
    "beside a picture": Case('<p id="x"><img src="/i.png" alt=""> §/a <img src="/j.png"> more</p>', "§/a«#gv» more"),
    "in a heading": Case('<h2 id="x">See §/a</h2>', "See §/a«#gv»"),
    "in a list": Case('<ol><li id="x">See §/a <em>now</em></li></ol>', "See §/a«#gv» now"),
    "in emphasis": Case('<p>Yes <em id="x">see §/a <b>now</b></em></p>', "see §/a«#gv» now"),
    "in a table": Case('<table id="x"><tr><td>one</td><td>§/a</td></tr></table>', "one §/a«#gv»"),
}

LEFT_ALONE = {
    "no URL": Case('<p id="x">Plain <b>text</b></p>'),
    "foreign": Case('<p id="x"><a href="https://example.com/">x</a> https://example.com/a</p>'),
    "code": Case('<p id="x">Call <code>§/a <a href="/a">a</a></code></p>'),
    "preformatted": Case('<pre id="x">§/a</pre>'),
    "an ignored region": Case('<div data-grapevine-ignore><p id="x">§/a <a href="/a">a</a></p></div>'),
    "an editor": Case('<div contenteditable><p id="x">§/a <a href="/a">a</a></p></div>'),
    "no web links": Case('<p id="x"><a href="mailto:a@b.c">m</a> <a href="tel:1">t</a> <a>none</a></p>'),
    "no scheme": Case('<p id="x"><a href="//e.org/">e</a> www.e.org</p>'),
    "another port": Case('<p id="x"><a href="http://127.0.0.1:1/a">a</a> http://127.0.0.1:1/a</p>'),
    "a user name": Case('<p id="x"><a href="http://me@127.0.0.1/">a</a> <a href="http://me:it@127.0.0.1/">b</a></p>'),
    "own links beside it": Case('<p><a href="/a">a</a><span id="x"> words </span><a href="/b">b</a></p>'),
    "the edges of own links": Case(
        '<p><a id="a" href="/a">first</a> words <a id="b" href="/b">last</a></p>', span=("#a", 5, "#b", 0)
    ),
    "a hidden own link in it": Case('<p id="x">words <a class="none" href="/a">a</a> and words</p>'),
    "a drawn link": Case('<div id="x">Look <svg width="9" height="9"><a href="/s"><text>s</text></a></svg> here</div>'),
    "copies are off": Case('<p id="x"><a href="/a">a</a> §/a</p>', data={"copy": "off"}),
}


@pytest.fixture(scope="module")
def tab(engine: Open) -> Iterator[Tab]:
    """One for all: each case has a site on a port of its own, and with it a storage of its own."""
    with engine() as opened:
        yield opened


@pytest.mark.parametrize("case", [*LINKS.values()], ids=[*LINKS])
def test_own_links_are_tagged_and_the_copy_is_the_same(
    tab: Tab, site: Site, recorder: RecorderServer, case: Case
) -> None:
    got, expected = compare(case, play(case, tab, site, recorder), tab.engine)
    assert got == expected
    assert len(recorder.wait("shares")) == 1


@pytest.mark.parametrize("case", [*PARTS.values()], ids=[*PARTS])
def test_a_part_of_a_link_takes_the_link_along(tab: Tab, site: Site, recorder: RecorderServer, case: Case) -> None:
    got, expected = compare(case._replace(links=("§/a«#gv»",)), play(case, tab, site, recorder), tab.engine)
    assert got == expected
    assert len(recorder.wait("shares")) == 1


@pytest.mark.parametrize("case", [*TEXTS.values()], ids=[*TEXTS])
def test_own_urls_in_the_text_are_tagged_in_the_text_alone(
    tab: Tab, site: Site, recorder: RecorderServer, case: Case
) -> None:
    got, expected = compare(case, play(case, tab, site, recorder), tab.engine)
    assert got == expected
    assert len(recorder.wait("shares")) == 1


@pytest.mark.parametrize("case", [*LEFT_ALONE.values()], ids=[*LEFT_ALONE])
def test_a_copy_without_own_urls_is_left_to_the_browser(
    tab: Tab, site: Site, recorder: RecorderServer, case: Case
) -> None:
    played = play(case, tab, site, recorder)
    assert played.live == played.bare
    assert recorder.paths == ["visits"]
