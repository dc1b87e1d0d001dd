"""The main job, end to end: copied, opened, copied, opened; and the chain stands everywhere people look."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any
from urllib.parse import urldefrag

import pytest
from playwright.sync_api import Browser, Page, expect

from tests.browser.demo import ARRIVED, Demo, MakeReader, Reader, readers
from tests.browser.fake_collect_api import until
from tests.support.browsers import clipboard, copy
from tests.support.copied_markup import markup, squeeze

TOKEN = r"gv[=-]([0-9A-Za-z]{23})\b"
TRAIN = "/articles/bread-on-the-night-train/"
JAR = "/articles/family-tree-of-a-jar/"


def token_in(url: str) -> str:
    """The one token in a URL."""
    [token] = re.findall(TOKEN, url)
    return str(token)


def own_links(html: str, origin: str) -> list[str]:
    """Where the copied links lead that stay on the site."""
    hrefs = [piece[1].get("href", "") for piece in markup(html) if isinstance(piece, tuple)]
    return [href for href in hrefs if href.startswith(origin)]


def tagged(url: str, token: str, *, in_query: bool) -> str:
    """As the contract says: in the fragment if that is free, else in the query."""
    base, fragment = urldefrag(url)
    if not fragment and not in_query:
        return f"{url}#gv-{token}"
    return f"{base}{'&' if '?' in base else '?'}gv={token}{'#' + fragment if fragment else ''}"


@pytest.fixture(scope="module")
def bare(browser: Browser, demo: Demo) -> Iterator[Reader]:
    """A reader whose browser gets an empty file for the widget."""
    with readers(browser, demo) as make:
        person = make()
        person.context.route("**/widget.js", lambda route: route.fulfill(body="", content_type="text/javascript"))
        yield person


COPIES = [
    ("/", "#articles"),
    ("/", "body"),
    (TRAIN, ".prose"),
    (JAR, "main"),
    (JAR, "body"),
    ("/docs/", "main"),
    ("/docs/", "#fetch-it"),
    ("/routes/", ".wines"),
    ("/articles/the-wine-that-went-wrong/", "body"),
]


@pytest.mark.parametrize(("path", "css"), COPIES)
def test_a_copy_is_what_it_is_without_the_widget_but_for_the_token(
    demo: Demo, reader: MakeReader, bare: Reader, path: str, css: str
) -> None:
    live = reader()
    plain_page = bare.context.new_page()
    plain_page.goto(demo.origin + path)
    page = live.open(demo.origin + path)
    without, with_widget = copy(plain_page, css), copy(page, css)
    assert without.keys() == with_widget.keys() == {"text/plain", "text/html"}

    [token] = set(re.findall(TOKEN, with_widget["text/html"]))
    expected = markup(without["text/html"])
    inside = "() => [...document.querySelectorAll('[data-grapevine-ignore] a')].map(link => link.href)"
    ignored = plain_page.evaluate(inside)
    links = 0
    for name, attributes in (piece for piece in reversed(expected) if isinstance(piece, tuple)):
        href = attributes.get("href", "")
        if href in ignored:
            ignored.remove(href)
        elif name == "a" and href.startswith(demo.origin):
            links += 1
            attributes["href"] = tagged(href, token, in_query=path == "/routes/")
    assert links > 0
    assert markup(with_widget["text/html"]) == expected
    assert squeeze(with_widget["text/plain"]) == squeeze(without["text/plain"])

    live.wait(page, "shares")
    assert (live.paths, bare.paths) == (["visits", "shares"], [])
    assert demo.share(token)["channel"] == "copy"


class CopyChain:
    """A reader, a friend and a third person; each copies what the one before gave them."""

    def __init__(self, demo: Demo, reader: MakeReader) -> None:
        self.people = [reader(locale=locale) for locale in ("en-GB", "de-DE", "fr-FR")]
        first, friend, third = self.people

        self.first = first.open(demo.page(TRAIN))
        copied = copy(self.first, "#who-knows ~ ol")
        [link] = own_links(copied["text/html"], demo.origin)
        assert link == f"{demo.origin}{JAR}?gv={token_in(link)}#one-name-each"
        first.wait(self.first, "shares")

        friend.context.grant_permissions(["clipboard-read", "clipboard-write"])
        self.friend = friend.open(link)
        self.friend.get_by_role("button", name="Copy link").click()
        friend.wait(self.friend, "shares")
        passed_on = clipboard(self.friend)["text/plain"]
        assert passed_on == f"{demo.origin}{JAR}?gv={token_in(passed_on)}#one-name-each"

        self.third = third.open(passed_on)
        [last] = own_links(copy(self.third, "#one-name-each ~ p a[href*='docs']")["text/html"], demo.origin)
        third.wait(self.third, "shares")
        assert last == f"{demo.origin}/docs/#gv-{token_in(last)}"

        self.links = [link, passed_on, last]
        self.tokens = [token_in(url) for url in self.links]
        self.visits = [page.evaluate(ARRIVED) for page in self.pages]

    @property
    def pages(self) -> list[Page]:
        return [self.first, self.friend, self.third]


@pytest.fixture(scope="module")
def chain(browser: Browser, demo: Demo) -> Iterator[CopyChain]:
    with readers(browser, demo) as make:
        yield CopyChain(demo, make)


def test_a_chain_of_three_people_stands_in_the_api(demo: Demo, reader: MakeReader) -> None:
    chain = CopyChain(demo, reader)
    root = chain.visits[0]
    assert [person.paths for person in chain.people] == [["visits", "shares"]] * 3
    landings = [person.of("visits")[0] for person in chain.people]
    assert [landing.get("token") for landing in landings] == [None, *chain.tokens[:2]]
    assert all("own" not in landing for landing in landings)
    assert [person.of("shares")[0]["token"] for person in chain.people] == chain.tokens
    for person in chain.people:
        assert all(
            "gv=" not in request.url and "gv=" not in request.headers.get("referer", "") for request in person.reports
        )

    clean = f"{demo.origin}{JAR}#one-name-each"
    assert [page.url for page in chain.pages[1:]] == [clean, clean]
    assert all(page.evaluate("() => performance.getEntriesByType('navigation').length") == 1 for page in chain.pages)

    found = demo.get(f"/v1/tokens/{chain.tokens[2]}")
    assert [(visit["visit"], visit["depth"]) for visit in found["chain"]] == list(
        zip(chain.visits, range(3), strict=True)
    )
    assert [visit["via"] for visit in found["chain"]] == [
        None,
        *({"token": token, "channel": "copy", "n": 0} for token in chain.tokens[:2]),
    ]
    assert [visit["source"] for visit in found["chain"]] == ["direct-deep", "share", "share"]
    assert (found["share"]["visit"], found["share"]["depth"], found["share"]["channel"]) == (chain.visits[2], 2, "copy")
    assert found["share"]["url"] == f"{demo.origin}/docs/"

    shares = [demo.share(token) for token in chain.tokens]
    assert [(share["reported"], share["proven"], share["returns"]) for share in shares] == [
        (True, True, 1),
        (True, True, 1),
        (True, False, 0),
    ]

    cascade = demo.get(f"/v1/cascades/{root}")
    assert (cascade["size"], cascade["max_depth"], cascade["breadth"], cascade["shares"]) == (3, 2, 1, 3)
    assert [(node["visit"], node["parent"], node["depth"]) for node in cascade["nodes"]] == list(
        zip(chain.visits, [None, *chain.visits[:2]], range(3), strict=True)
    )
    assert demo.numbers(chain.first.url, "visits", "returns", "self_returns", "same_network_returns") == [1, 0, 0, 0]

    fourth = reader(locale="es-ES")
    assert fourth.open(chain.links[2]).url == f"{demo.origin}/docs/"
    last = demo.share(chain.tokens[2])
    assert (last["reported"], last["proven"], last["returns"], last["self_returns"]) == (True, True, 1, 0)
    again = demo.get(f"/v1/tokens/{chain.tokens[2]}")
    assert [visit["depth"] for visit in again["chain"]] == [0, 1, 2]
    assert again["reach"]["visits"] == 1
    assert again["reach"]["max_depth"] == 3


def test_the_chain_stands_on_the_dashboard(demo: Demo, reader: MakeReader, chain: CopyChain) -> None:
    page = reader().context.new_page()
    page.goto(demo.server)
    page.get_by_label("API key").fill(demo.key)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Overview")).to_be_visible()

    page.goto(f"{demo.server}/cascades?sort=recent")
    page.click(f"a[href*='/cascades/{chain.visits[0]}']")
    expect(page.locator("svg a.dot")).to_have_count(3)
    expect(page.locator("svg path.edge")).to_have_count(2)
    expect(page.locator("ol.branches li")).to_have_count(3)
    for visit in chain.visits:
        expect(page.locator(f"[id='v-{visit}']")).to_be_visible()

    page.get_by_role("link", name="Token look-up").click()
    page.get_by_label("Token or link").fill(f"Look what I found: {chain.links[2]} !")
    page.keyboard.press("Enter")
    expect(page.locator("ol.path > li")).to_have_count(4)
    expect(page.locator("ol.path > li").nth(0)).to_contain_text("First visit")
    expect(page.locator("ol.path > li").nth(2)).to_contain_text("Depth 2")
    expect(page.locator("ol.path code")).to_have_text(chain.tokens[:2])
    page.get_by_role("link", name="See the whole cascade as a tree").click()
    assert page.url.endswith(f"/cascades/{chain.visits[0]}")


def test_the_chain_stands_in_the_terminal(demo: Demo, chain: CopyChain) -> None:
    lines = demo.run("cascade", chain.visits[0]).splitlines()
    nodes = [next(line for line in lines if line.endswith(visit)) for visit in chain.visits]
    assert [lines.index(node) for node in nodes] == [1, 2, 3]
    assert TRAIN in nodes[0]
    indents = [re.search(r"direct-deep|copy", node) for node in nodes]
    assert [indent.start() if indent else None for indent in indents] == [0, 4, 8]
    assert chain.visits[2] in demo.run("token", "inspect", chain.tokens[2])


def test_a_link_taken_from_a_button_is_proven_by_the_return_alone(demo: Demo, reader: MakeReader) -> None:
    sharer, friend = reader(locale="en-GB"), reader(locale="de-DE")
    page = sharer.open(demo.page("/"))
    link = until(
        page, lambda: page.get_by_role("link", name="WhatsApp").get_attribute("href") or "", lambda href: "gv" in href
    )
    token = token_in(link.replace("%3D", "="))
    friend.open(f"{page.url}#gv={token}")
    share = demo.share(token)
    assert (share["channel"], share["reported"], share["proven"], share["returns"]) == ("whatsapp", False, True, 1)
    assert sharer.paths == ["visits"]
    numbers: list[Any] = demo.numbers(page.url, "visits", "returns", "self_returns", "same_network_returns")
    assert numbers == [2, 1, 0, 0]
