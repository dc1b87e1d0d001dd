"""Pages whose address holds what looks like a secret: they are shared by that address, and never by a short link."""

from __future__ import annotations

import json
import random
import re
from pathlib import Path
from urllib.parse import quote

import pytest
import segno
from playwright.sync_api import Page

import build
from grapevine.domain.urls import page_of
from tests.browser.conftest import snippet
from tests.browser.fake_collect_api import HOME, Recorder, token, until
from tests.support.page_server import Site

SHORT = "() => grapevine.url('copy')"
SENTENCE = "shared by its own address and not by a short link"
QR_BAR = "<grapevine-buttons channels='qr print'></grapevine-buttons>"
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.[]"


def opened(page: Page, site: Site, query: str, body: str = "", /, **attributes: str) -> list[str]:
    """Opens a page with that query; returns what the console gets."""
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    site.page("/p", body, snippet=snippet(**attributes))
    page.goto(f"{site.origin}/p{query}")
    page.wait_for_function("() => window.grapevine?.visit")
    return said


def test_a_page_with_a_secret_is_not_shared_by_a_short_link(page: Page, site: Site) -> None:
    said = opened(page, site, "?id=5&reset_token=abc", link="short")
    assert page.evaluate(SHORT) == f"{site.origin}/p?id=5&reset_token=abc#gv={token(1, 'copy')}"
    page.wait_for_selector("[part=button]")
    page.evaluate(SHORT)
    assert [SENTENCE in line for line in said] == [True], "once, for all buttons"
    link = page.locator("[data-channel=email]").get_attribute("href") or ""
    assert link.endswith(quote(f"token=abc#gv={token(1, 'email')}", safe=""))


def test_another_page_of_the_same_visit_is_shared_by_a_short_link(page: Page, site: Site) -> None:
    said = opened(page, site, "?code=abc", link="short")
    page.evaluate("() => history.pushState(null, '', '/p?id=5')")
    until(page, lambda: page.evaluate(SHORT), lambda url: url == f"{HOME}s/{token(1, 'copy')}")
    page.evaluate("() => history.pushState(null, '', '/p?id=5&key=5')")
    until(page, lambda: page.evaluate(SHORT), lambda url: url == f"{site.origin}/p?id=5&key=5#gv={token(1, 'copy')}")
    assert len([line for line in said if SENTENCE in line]) == 2


def test_the_next_page_of_a_tab_has_its_short_links_too(page: Page, site: Site) -> None:
    opened(page, site, "?id=5", link="short")
    page.reload()
    until(page, lambda: page.evaluate(SHORT), lambda url: url == f"{HOME}s/{token(1, 'copy')}")


def test_the_site_says_which_parameters_select_content(page: Page, site: Site) -> None:
    said = opened(page, site, "?code=A1", link="short", query="id code")
    assert page.evaluate(SHORT) == f"{HOME}s/{token(1, 'copy')}"
    page.evaluate("() => history.pushState(null, '', '/p?code=A1&token=5')")
    until(page, lambda: page.evaluate(SHORT), lambda url: url.startswith(f"{site.origin}/p?code=A1&token=5"))
    assert len([line for line in said if SENTENCE in line]) == 1


@pytest.mark.parametrize(("query", "is_short"), [("?id=5", True), ("?id=5&password=x", False)])
def test_the_qr_code_of_a_page(page: Page, site: Site, recorder: Recorder, query: str, is_short: bool) -> None:
    said = opened(page, site, query, QR_BAR, buttons="")
    until(page, lambda: page.evaluate("() => grapevine.url('qr')"), lambda url: token(1, "qr") in url)
    page.click("[title='QR code']")
    path = page.wait_for_selector("dialog [part=code] path").get_attribute("d")  # type: ignore[union-attr]
    name = f"s/{token(1, 'qr')}/qr.svg"
    url = HOME + name if is_short else f"{site.origin}/p{query}#gv={token(1, 'qr')}"
    assert f'd="{path}"' in segno.make(url, error="m").svg_inline(scale=8, border=2)
    assert (name if is_short else f"POST {name}") in recorder.asked
    assert [line for line in said if SENTENCE in line] == ([] if is_short else said)
    assert bool(said) is not is_short
    assert recorder.wait(page, "shares")[0]["token"] == token(1, "qr")


def test_a_page_with_a_secret_is_printed_with_its_own_address(page: Page, site: Site) -> None:
    page.add_init_script(
        "window.print = () => { window.printed = document.querySelector('grapevine-print').shadowRoot.textContent }"
    )
    said = opened(page, site, "?sid=5", QR_BAR, buttons="", link="short")
    until(page, lambda: page.evaluate("() => grapevine.url('print')"), lambda url: token(1, "print") in url)
    page.click("[title=Print]")
    printed = page.wait_for_function("() => window.printed").json_value()
    assert printed == f"{site.origin}/p?sid=5#gv={token(1, 'print')}"
    assert [SENTENCE in line for line in said] == [True]


def addresses(count: int) -> list[str]:
    """Addresses as a browser spells them: names of secrets and others, whole or within other words, and values."""
    chance = random.Random(43)  # noqa: S311
    known = json.loads((build.ROOT / "widget/secret_parameters.json").read_text(encoding="utf-8"))
    words = [*known["words"], *known["anywhere"], "id", "page", "author", "keyword", "design", "next", "q"]
    values = (
        "5", "", "bob@example.com", "@bob@social.example", "logo@2x.png", "eyJhbGciOiJub25lIn0.eyJhIjoxfQ.x", "/a;b=1",
    )  # fmt: skip

    def noise() -> str:
        return "".join(chance.choices(ALPHABET, k=chance.randrange(4)))

    def name() -> str:
        word = re.sub(r"\[(.).*?\]", r"\1", chance.choice(words))
        return noise() + chance.choice((word, word.upper(), word.capitalize())) + noise()

    def piece(depth: int = 0) -> str:
        value = f"/x?{piece(depth + 1)}" if depth < 2 and chance.random() < 0.2 else chance.choice(values)
        return name() + ("=" + quote(value, safe=chance.choice(("", "/@"))) if chance.random() < 0.9 else "")

    def path() -> str:
        segment = chance.choice((noise(), name(), quote(chance.choice(values)), "é"))
        return quote(segment, safe="%@[]") + (f";{piece(2)}" if chance.random() < 0.1 else "")

    found = []
    for _ in range(count):
        query = "&".join(piece() for _ in range(chance.randrange(3)))
        found.append(f"https://a.example/{path()}/{path()}" + (f"?{query}" if query else ""))
    return found


def test_the_widget_and_the_server_leave_out_the_same(page: Page) -> None:
    source = Path(build.ROOT / "widget/src/shortLinks/showsSecret.js").read_text(encoding="utf-8")
    patterns = build.secret_patterns(build.ROOT / "widget/secret_parameters.json")
    constants = "".join(f"const {name} = {json.dumps(pattern)};" for name, pattern in patterns.items())
    code = constants + "const config = {};" + re.sub(r"^import .*$|^export ", "", source, flags=re.MULTILINE)
    checked = page.evaluate(
        "([code, urls]) => { const shows = new Function(code + 'return showsSecret')();"
        "return urls.map((url) => [new URL(url).href, shows(url)]) }",
        [code, addresses(5_000)],
    )
    origins = frozenset({"https://a.example"})
    differing = [
        (url, shows) for url, shows in checked if shows is not (page_of(1, url, origins, "no-token", None).url != url)
    ]
    assert differing == []
    secret = sum(shows for _, shows in checked)
    assert 500 < secret < len(checked) - 500
