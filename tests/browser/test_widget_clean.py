"""Shared URLs go without parameters that only track: other people's click ids, campaign tags, marks of mailings."""

from __future__ import annotations

import json
import random
import re
from urllib.parse import quote, unquote_plus, urlsplit

import pytest
import segno
from playwright.sync_api import Page

import build
from grapevine.domain.tracking_parameters import is_tracking
from grapevine.domain.urls import page_of
from tests.browser.conftest import snippet
from tests.browser.fake_collect_api import HOME, Recorder, token, until
from tests.support.browsers import clipboard, copy
from tests.support.page_server import Site
from widget.build.tracking_lists import tracking_names, tracking_pattern

MAILED = "?id=7&utm_source=newsletter&mc_eid=9f3ab12c77&ref=bob&fbclid=IwAR0"
CLEANED = "?id=7&ref=bob"
HEAD = """<script>
window.heard = []
document.addEventListener('grapevine:share', (event) => heard.push(event.detail.url))
navigator.share = async (data) => { window.native = data.url }
window.print = () => { window.printed = document.querySelector('grapevine-print').shadowRoot.textContent }
</script>"""
BODY = (
    '<p id="link">Read <a href="/q?_hsenc=p2A&p=1#part">this</a></p>'
    '<input id="field"><p id="page">Copy</p>'
    "<grapevine-buttons channels='native email qr print x'></grapevine-buttons>"
)
URL = "() => grapevine.url('copy')"
HAS_TOKEN = "(token) => grapevine.url('copy').endsWith(token)"


def opened(page: Page, site: Site, query: str, body: str = BODY, /, **attributes: str) -> None:
    site.page("/p", body, head=HEAD, snippet=snippet(**{"buttons": "", **attributes}))
    page.goto(f"{site.origin}/p{query}")
    page.wait_for_function("() => window.grapevine?.visit")


def test_every_way_of_sharing_a_page_leaves_out_what_only_tracks(page: Page, site: Site, recorder: Recorder) -> None:
    own = site.origin + "/p" + CLEANED
    opened(page, site, MAILED, f'<p id="text">At {site.origin}/q{MAILED}, see</p>{BODY}')
    assert page.evaluate(URL) == f"{own}#gv={token(1, 'copy')}"

    page.wait_for_selector("[data-channel=email]")
    for channel in ("email", "x"):
        href = page.locator(f"[data-channel={channel}]").get_attribute("href") or ""
        assert quote(f"{own}#gv={token(1, channel)}", safe="") in href
    page.click("[data-channel=native]")
    assert page.wait_for_function("() => window.native").json_value() == f"{own}#gv={token(1, 'native')}"
    page.click("[data-channel=print]")
    assert page.wait_for_function("() => window.printed").json_value() == f"{own}#gv={token(1, 'print')}"

    copied = copy(page, "#link")["text/html"]
    assert f'href="{site.origin}/q?p=1&amp;gv={token(1, "copy")}#part"' in copied
    assert page.locator("#link a").get_attribute("href") == "/q?_hsenc=p2A&p=1#part"
    page.wait_for_function(HAS_TOKEN, arg=token(1, "copy", 1))
    assert copy(page, "#text")["text/plain"] == f"At {site.origin}/q{CLEANED}#gv={token(1, 'copy', 1)}, see"
    page.wait_for_function(HAS_TOKEN, arg=token(1, "copy", 2))
    page.evaluate("() => { field.value = location.href; field.focus(); field.select() }")
    page.keyboard.press("Control+c")
    assert clipboard(page)["text/plain"] == f"{own}#gv={token(1, 'copy', 2)}"
    page.wait_for_function(HAS_TOKEN, arg=token(1, "copy", 3))
    page.evaluate(
        "() => { addEventListener('copy', (event) => {"
        "event.clipboardData.setData('text/plain', 'At ' + location); event.preventDefault() }, true) }"
    )
    assert copy(page, "#page")["text/plain"] == f"At {own}#gv={token(1, 'copy', 3)}"

    paths = ["/p", "/p", "/q", "/q", "/p", "/p"]
    shared = [site.origin + path + ("?p=1#part" if index == 2 else CLEANED) for index, path in enumerate(paths)]
    assert [report["url"] for report in recorder.wait(page, "shares", len(paths))] == shared
    assert page.evaluate("() => heard") == shared
    assert recorder.of("visits")[0]["url"] == page.url == site.origin + "/p" + MAILED, "as the page has it"


def test_the_first_copy_of_a_link_and_the_next_route(page: Page, site: Site, recorder: Recorder) -> None:
    """The page's own address has no parameters, so nothing but its link asks for the part."""
    opened(page, site, "", '<p id="link"><a href="/q?mkt_tok=MzY4">this</a></p>')
    assert f'href="{site.origin}/q#gv={token(1, "copy")}"' in copy(page, "#link")["text/html"]
    page.evaluate("() => history.pushState(null, '', '/r?gclid=1#/route?a=1&_gl=2')")
    until(page, lambda: page.evaluate(URL), lambda url: url.startswith(f"{site.origin}/r?gv="))
    assert page.evaluate(URL).endswith("#/route?a=1")
    assert [name for name in recorder.asked if name.endswith(".clean.js")] == recorder.asked[1:2]


@pytest.mark.parametrize(
    ("attributes", "left"),
    [
        ({"clean": "off"}, MAILED),
        ({"keep": "mc_eid,fbclid"}, "?id=7&mc_eid=9f3ab12c77&ref=bob&fbclid=IwAR0"),
        ({"keep": "MC_EID", "query": "id utm_source"}, "?id=7&utm_source=newsletter&ref=bob"),
        ({"link": "short", "keep": "id"}, None),
    ],
)
def test_what_a_site_keeps(page: Page, site: Site, attributes: dict[str, str], left: str | None) -> None:
    opened(page, site, MAILED, BODY, **attributes)
    url = HOME + "s/" + token(1, "copy") if left is None else f"{site.origin}/p{left}#gv={token(1, 'copy')}"
    assert page.evaluate(URL) == url


def test_a_secret_of_a_mailing_is_no_reason_against_a_short_link(page: Page, site: Site) -> None:
    opened(page, site, "?id=7&utm_email=bob%40example.com&keep=1", BODY, link="short")
    assert page.evaluate(URL) == HOME + "s/" + token(1, "copy")


def test_the_qr_code_of_a_pages_own_address(page: Page, site: Site, recorder: Recorder) -> None:
    opened(page, site, "?password=x&mc_eid=9&id=7")
    until(page, lambda: page.evaluate("() => grapevine.url('qr')"), lambda url: token(1, "qr") in url)
    page.click("[data-channel=qr]")
    path = page.wait_for_selector("dialog [part=code] path").get_attribute("d")  # type: ignore[union-attr]
    url = f"{site.origin}/p?password=x&id=7#gv={token(1, 'qr')}"
    assert f'd="{path}"' in segno.make(url, error="m").svg_inline(scale=8, border=2)
    assert recorder.wait(page, "shares")[0]["url"] == f"{site.origin}/p?password=x&id=7"


def test_the_address_bar_keeps_what_other_scripts_read_there(page: Page, site: Site, recorder: Recorder) -> None:
    opened(page, site, MAILED, BODY, **{"address-bar": "on"})
    own = f"{site.origin}/p{MAILED}#gv={token(1, 'address')}"
    until(page, lambda: page.url, lambda url: url == own)
    assert page.evaluate(URL) == f"{site.origin}/p{CLEANED}#gv={token(1, 'copy')}"
    page.wait_for_timeout(150)
    assert recorder.of("views") == []


def test_without_the_part_a_page_is_shared_as_it_is(page: Page, site: Site, recorder: Recorder) -> None:
    del recorder.files[next(name for name in recorder.files if name.endswith(".clean.js"))]
    opened(page, site, MAILED)
    assert page.evaluate(URL) == f"{site.origin}/p{MAILED}#gv={token(1, 'copy')}"


def addresses(count: int) -> list[str]:
    """Addresses as a browser spells them: names that only track and others, with noise, escapes and odd separators."""
    chance = random.Random(48)  # noqa: S311
    tracking = tracking_names(build.ROOT)
    words = [
        *sorted(tracking.names),
        *(prefix + "x" for prefix in sorted(tracking.prefixes)),
        *sorted(tracking.prefixes),
    ]
    others = [
        "amp;utm_source",
        "amp;amp;fbclid",
        "amp;id",
        "id",
        "ref",
        "q",
        "",
        "si2",
        "K",
        "\u017fi",
        "_\u212ae",
        "é",
        "a b",
        "utm",
        "awc",
    ]

    def name() -> str:
        word = chance.choice(words if chance.random() < 0.6 else others)
        word = chance.choice((word, word.upper(), word.title(), word + chance.choice("x_+ []")))
        return "".join(
            f"%{ord(c):02x}" if c.isascii() and chance.random() < 0.1 else quote(c, safe="+[]") for c in word
        )

    def piece() -> str:
        return name() + chance.choice(("", "=", "=5", "=a=b", "=a?utm_id=1", "=%zz", "=a;gclid=1", "=%26gclid=1"))

    def pieces() -> str:
        return "&".join(piece() if chance.random() < 0.9 else "" for _ in range(chance.randrange(4)))

    fragments = ("", "", "#", "#part", "#/route", "#!/a?b", "#:~:text=a")
    return [
        f"https://a.example/{name()}{chance.choice(('?', '?', ''))}{pieces()}{chance.choice(fragments)}{pieces()}"
        for _ in range(count)
    ]


def left_in(url: str) -> list[str]:
    """The parameters in the query and the fragment that the server takes for tracking."""
    base, _, fragment = url.partition("#")
    route = re.match(r"[^?=&]*\?", fragment)
    lists = [base.partition("?")[2], fragment[route.end() :] if route else fragment]
    return [piece for text in lists for piece in text.split("&") if tracks(piece)]


def tracks(piece: str) -> bool:
    """Whether the name of a parameter only tracks, without the rest of an escaped "&" before it."""
    return is_tracking(re.sub("^(amp;)+", "", unquote_plus(piece.partition("=")[0]), flags=re.IGNORECASE))


def test_the_widget_and_the_server_leave_out_the_same(page: Page) -> None:
    source = (build.ROOT / "widget/src/clean/withoutTracking.js").read_text(encoding="utf-8")
    pattern = json.dumps(tracking_pattern(tracking_names(build.ROOT)))
    code = f"const TRACKING_NAME = {pattern}; const config = {{}};"
    code += re.sub(r"^import .*$|^export ", "", source, flags=re.MULTILINE)
    checked = page.evaluate(
        "([code, urls]) => { const clean = new Function(code + 'return withoutTracking')();"
        "return urls.map((url) => [new URL(url).href, clean(new URL(url).href)]) }",
        [code, addresses(5_000)],
    )
    origins = frozenset({"https://a.example"})
    differing = []
    for url, cleaned in checked:
        before, after = urlsplit(url), urlsplit(cleaned)
        kept = [piece for piece in before.query.split("&") if not tracks(piece)]
        same_page = page_of(1, url, origins, "no-token", None) == page_of(1, cleaned, origins, "no-token", None)
        whole = left_in(url) or url == cleaned  # where nothing tracks, not one byte changes
        if left_in(cleaned) or not whole or after.query != "&".join(kept) or before.path != after.path or not same_page:
            differing.append((url, cleaned))
    assert differing == []
    changed = sum(url != cleaned for url, cleaned in checked)
    assert 1_000 < changed < len(checked) - 1_000
