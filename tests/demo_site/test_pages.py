"""The demo site is plain files: every page is whole, every link leads somewhere, nothing is loaded from elsewhere."""

import json
import re
from collections.abc import Callable, Sequence
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple
from urllib.parse import unquote, urljoin, urlsplit
from xml.etree import ElementTree as ET

from tests.support.differences import Differences

SITE = Path(__file__).parents[2] / "demo_site"
WIDGET = Path(__file__).parents[2] / "widget"
PLAYGROUND = SITE / "playground"
PAGES = sorted(SITE.rglob("*.html"))
TOUR = [page for page in PAGES if page.parent != PLAYGROUND]
PREVIEW = PLAYGROUND / "preview.html"
"""Stands in a frame of the playground, which embeds the widget by script: neither is a stop of the tour."""
ORIGIN = "http://site.test"
DASHBOARD = "__GRAPEVINE__/"
VOID = {"area", "base", "br", "col", "embed", "hr", "img", "input", "link", "meta", "source", "track", "wbr"}
LOADS = {("script", "src"), ("link", "href"), ("img", "src"), ("img", "srcset"), ("source", "src"), ("iframe", "src")}
EMBEDDINGS = {
    "index.html": {},
    "404.html": {"data-buttons": "", "data-position": "none"},
    "app/index.html": {},
    "articles/a-cellar-by-ear/index.html": {"data-position": "bottom"},
    "articles/bread-on-the-night-train/index.html": {"data-buttons": "", "data-position": "none"},
    "articles/family-tree-of-a-jar/index.html": {"data-position": "inline"},
    "articles/sixty-one-per-cent/index.html": {"data-position": "right", "data-look": "tiles"},
    "articles/the-wine-that-went-wrong/index.html": {
        "data-buttons": "email mastodon bluesky reddit linkedin copy",
        "data-theme": "dark",
    },
    "consent/index.html": {"data-consent": "required"},
    "docs/index.html": {},
    "routes/index.html": {"data-place": "query"},
    "signup/index.html": {},
}


class Element(NamedTuple):
    tag: str
    attrs: dict[str, str]


class PageOutline(HTMLParser):
    """Elements in document order, text per element name, and whether every start tag met its end tag."""

    def __init__(self, source: str) -> None:
        super().__init__()
        self.elements: list[Element] = []
        self.errors: list[str] = []
        self.text: dict[str, str] = {}
        self.tour_code = ""
        self._open: list[str] = []
        self._tour = False
        self.feed(source)
        self.close()
        self.errors += [f"<{tag}> is never closed" for tag in self._open]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        element = Element(tag, {name: value or "" for name, value in attrs})
        self.elements.append(element)
        self._tour |= element.attrs.get("id") == "embed"
        if len(element.attrs) != len(attrs):
            self.errors.append(f"<{tag}> repeats an attribute")
        if tag not in VOID:
            self._open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append(Element(tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        if not self._open or self._open.pop() != tag:
            self.errors.append(f"</{tag}> at line {self.getpos()[0]} closes nothing")
        self._tour &= tag != "aside"

    def handle_data(self, data: str) -> None:
        for tag in self._open[-1:]:
            self.text[tag] = self.text.get(tag, "") + data
        if self._tour and self._open[-2:] == ["pre", "code"]:
            self.tour_code += data

    def all(self, tag: str) -> list[Element]:
        return [element for element in self.elements if element.tag == tag]


def name(path: Path) -> str:
    return path.relative_to(SITE).as_posix()


def on_every(paths: Sequence[Path]) -> Callable[[Callable[[Path], None]], Callable[[], None]]:
    """Makes a test of what must hold for each of ``paths``; it fails with all files that it does not hold for."""

    def make(ask: Callable[[Path], None]) -> Callable[[], None]:
        def test() -> None:
            differences = Differences()
            for path in paths:
                with differences.case(name(path)):
                    ask(path)
            differences.check(len(paths))

        test.__name__ = ask.__name__
        return test

    return make


def file_of(url_path: str) -> Path | None:
    """The file a URL path is answered with, as the demo's server maps it; None where that is the 404 page."""
    found = SITE / unquote(url_path).lstrip("/")
    if found.is_dir():
        found = found / "index.html"
    if found.is_file():
        return found
    return SITE / "app/index.html" if url_path.startswith("/app/") else None


def buttons_in(page: PageOutline) -> list[list[str]]:
    return [element.attrs["channels"].split() for element in page.all("grapevine-buttons")]


def address(path: Path) -> str:
    return f"{ORIGIN}/{name(path).removesuffix('index.html')}"


def test_the_tour_has_every_embedding() -> None:
    assert {name(path) for path in TOUR} == set(EMBEDDINGS)


@on_every(PAGES)
def test_markup_is_well_formed(path: Path) -> None:
    page = PageOutline(path.read_text())
    assert page.errors == []
    ids = [element.attrs["id"] for element in page.elements if "id" in element.attrs]
    assert len(ids) == len(set(ids))


@on_every(PAGES)
def test_page_says_what_it_is(path: Path) -> None:
    page = PageOutline(path.read_text())
    assert path.read_text().startswith("<!doctype html>\n")
    assert [element.attrs.get("lang") for element in page.all("html")] == ["en"]
    assert page.text["title"].strip()
    assert len(page.all("title")) == 1
    assert len(page.all("h1")) == 1
    metas = {element.attrs["name"]: element.attrs["content"] for element in page.all("meta") if "name" in element.attrs}
    assert metas["viewport"] == "width=device-width, initial-scale=1"
    assert metas["description"]
    assert page.elements[[e.attrs.get("class") for e in page.elements].index("skip")].attrs["href"] == "#content"
    assert not [element for element in page.all("link") if element.attrs.get("rel") == "canonical"]


@on_every(PAGES)
def test_headings_leave_no_level_out(path: Path) -> None:
    page = PageOutline(path.read_text())
    levels = [int(element.tag[1]) for element in page.elements if re.fullmatch(r"h[1-6]", element.tag)]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))


@on_every(TOUR)
def test_one_widget_embedded_as_the_page_says(path: Path) -> None:
    page = PageOutline(path.read_text())
    widgets = [script.attrs for script in page.all("script") if "data-site" in script.attrs]
    expected = {"async": "", "src": "__GRAPEVINE__/widget.js", "data-site": "__SITE__", **EMBEDDINGS[name(path)]}
    assert widgets == [expected]
    assert path.read_text().count("widget.js") == 2, "once embedded, once shown"
    assert [script.attrs for script in PageOutline(page.tour_code).all("script")] == [expected]
    assert buttons_in(PageOutline(page.tour_code)) == buttons_in(page)


@on_every(PAGES)
def test_every_own_link_leads_somewhere(path: Path) -> None:
    page = PageOutline(path.read_text())
    for element in page.elements:
        for attribute in ("href", "src", "action"):
            target = element.attrs.get(attribute)
            if target is None or target.startswith("__GRAPEVINE__/"):
                continue
            url = urlsplit(urljoin(address(path), target))
            if f"{url.scheme}://{url.netloc}" != ORIGIN:
                continue
            found = file_of(url.path)
            assert found is not None, f"{target} leads nowhere"
            if found.suffix == ".html" and url.fragment:
                there = PageOutline(found.read_text()).elements
                marks = {mark.attrs.get(kind) for mark in there for kind in ("id", "data-route")}
                assert url.fragment in marks | {"/"}, f"{target} has no such anchor"


def test_pages_served_at_any_depth_use_no_relative_link() -> None:
    for served_anywhere in ("404.html", "app/index.html"):
        for element in PageOutline((SITE / served_anywhere).read_text()).elements:
            for attribute in ("href", "src"):
                assert re.match(r"/|#|https://|__GRAPEVINE__/|$", element.attrs.get(attribute, ""))


def test_links_are_of_both_kinds() -> None:
    hrefs = [element.attrs["href"] for path in PAGES for element in PageOutline(path.read_text()).all("a")]
    assert [href for href in hrefs if href.startswith("/")]
    assert [href for href in hrefs if re.match(r"\.\./|[a-z]+/", href)]
    assert {urlsplit(href).netloc for href in hrefs if href.startswith("http")} <= {
        "en.wikipedia.org",
        "www.json.org",
        "example.org",
    }


@on_every(PAGES)
def test_nothing_is_loaded_from_elsewhere(path: Path) -> None:
    page = PageOutline(path.read_text())
    for element in page.elements:
        for attribute, value in element.attrs.items():
            if (element.tag, attribute) in LOADS:
                assert value.startswith("/") or value == "__GRAPEVINE__/widget.js", value
    assert all("src" not in frame.attrs for frame in page.all("iframe"))
    assert not page.all("object")


@on_every(PAGES)
def test_a_strict_policy_would_let_the_page_work(path: Path) -> None:
    page = PageOutline(path.read_text())
    assert not page.all("style")
    assert not page.text.get("script", "").strip()
    for element in page.elements:
        assert "style" not in element.attrs
        assert not [attribute for attribute in element.attrs if attribute.startswith("on")]


@on_every(PAGES)
def test_pictures_have_words_and_a_size(path: Path) -> None:
    page = PageOutline(path.read_text())
    for image in page.all("img"):
        assert {"alt", "width", "height"} <= set(image.attrs)


@on_every([page for page in PAGES if page != PREVIEW])
def test_page_leads_to_the_dashboard_and_through_the_tour(path: Path) -> None:
    page = PageOutline(path.read_text())
    hrefs = [link.attrs["href"] for link in page.all("a")]
    assert DASHBOARD in hrefs
    stops = {address(stop).removeprefix(ORIGIN) for stop in PAGES if stop.name == "index.html"}
    assert stops <= set(hrefs), f"{name(path)} leaves a stop out of its footer"


@on_every(sorted([*SITE.rglob("*.svg"), *SITE.rglob("*.css"), *SITE.rglob("*.js")]))
def test_other_files_load_nothing(file: Path) -> None:
    text = file.read_text().replace("http://www.w3.org/2000/svg", "")
    assert not re.search(r"https?:|//[a-z]|@import|\bfetch\b|XMLHttpRequest|sendBeacon", text)
    assert file.suffix == ".js" or not re.search(r"url\([^#]", text)
    assert "__GRAPEVINE__" not in text, "placeholders are replaced in pages only"
    if file.suffix == ".svg":
        ET.fromstring(text)  # noqa: S314 - our own drawings


def test_the_playground_knows_every_option_of_the_widget() -> None:
    options = (PLAYGROUND / "options.js").read_text()
    names, languages = options.split("export const LANGUAGES")
    assert set(re.findall(r'\["([a-z]+)", "', names)) == set(json.loads((WIDGET / "channels.json").read_text()))
    words = {file.stem for file in (WIDGET / "translations").glob("*.json")}
    assert set(re.findall(r'"([a-z]+)"', languages.partition(";")[0])) == words | {"auto", "en"}
    documented = set(re.findall(r"^\| (?:.*, )?`data-([a-z-]+)`", (WIDGET / "README.md").read_text(), re.MULTILINE))
    offered = set(re.findall(r'(?:attribute|choice|text)\("([a-z-]+)"', options))
    assert documented - {"site"} <= offered
    assert offered - documented <= {"element"}
    properties = set(re.findall(r"--grapevine-([a-z]+):", (WIDGET / "README.md").read_text()))
    assert properties == set(re.findall(r'(?:size|colour)\("([a-z]+)"', options))


def test_articles_are_worth_reading() -> None:
    articles = [path for path in PAGES if "articles" in path.parts]
    assert len(articles) == 5
    for article in articles:
        source = article.read_text()
        text = source[source.index('<div class="prose">') : source.index('<nav class="more"')]
        assert 400 <= len(re.sub(r"<[^>]+>", " ", text).split()) <= 900


def test_recipe_file_is_the_one_the_docs_show() -> None:
    loaf = json.loads((SITE / "docs/loaf.json").read_text())
    shown = re.search(r"<code>(\{.*?\n\})</code>", (SITE / "docs/index.html").read_text(), re.DOTALL)
    assert shown
    assert json.loads(re.sub(r"<[^>]+>|https://lees.example", "", shown[1])) == loaf
