"""axe finds nothing wrong with the widget: each theme, scheme, direction, position and width, each part and panel."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pytest
from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor, snippet
from tests.browser.demo import Demo, MakeReader
from tests.browser.fake_collect_api import Recorder, token, until
from tests.support.page_server import Site

PHONE: Final = {"width": 390, "height": 780}
DESK: Final = {"width": 1280, "height": 800}
LIGHT: Final = {"color_scheme": "light", "forced_colors": "none"}
DARK: Final = {"color_scheme": "dark", "forced_colors": "none"}
FORCED: Final = {"color_scheme": "light", "forced_colors": "active"}
SETTINGS: Final[dict[str, list[tuple[Any, Any]]]] = {
    "ltr": [(LIGHT, DESK), (DARK, PHONE), (FORCED, DESK)],
    "rtl": [(LIGHT, PHONE), (DARK, DESK), (FORCED, PHONE)],
}
"""Each scheme at each width, one half of them in either direction."""
SEEN: Final = ["color-contrast", "target-size", "scrollable-region-focusable"]
"""The rules that ask how something looks; every other gives the same answer at each width and in each scheme."""
AXE: Final = """async rules => {
  const only = rules ? {runOnly: {type: 'rule', values: rules}} : {rules: {'target-size': {enabled: true}}};
  const {violations, passes} = await axe.run(document, {...only, resultTypes: ['violations', 'passes']});
  const name = ({target}) => target.flat().join(' ');
  return [
    violations.flatMap(({id, nodes}) => nodes.map(node => `${id}: ${name(node)}: ${node.failureSummary}`)),
    passes.flatMap(({nodes}) => nodes.map(name)),
  ];
}"""
HEAD: Final = """<style>
  :root { color-scheme: light dark }
  body { font: 16px/1.5 sans-serif }
  input, form button { min-height: 44px }
</style>"""
BODY: Final = """<script>document.dir = '%s'</script>
<main>
  <h1>A cellar by ear</h1>
  <p>Some text.</p>
  %s
  <form id="f"><label>Mail <input name="mail"></label><button>Sign up</button></form>
</main>"""
ELEMENTS: Final = """<grapevine-buttons></grapevine-buttons>
<grapevine-follow accounts="x:handle mastodon:@me@example.social"></grapevine-follow>
<grapevine-survey contact></grapevine-survey>
<grapevine-forget></grapevine-forget>"""
WORDS: Final = {"ltr": "en", "rtl": "ar"}


@pytest.fixture
def tab(visitor: Visitor, recorder: Recorder) -> Page:
    """A page that can be looked at by axe; counts stand on its buttons."""
    recorder.counts = {"total": 1234, "channels": {"copy": 5, "whatsapp": 22, "linkedin": 40_000}}
    context = visitor(reduced_motion="reduce")  # a colour on its way is no colour to judge
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    recorder.attach(context)
    return context.new_page()


def check(page: Page, *parts: str, rules: list[str] | None = None) -> None:
    """No violation; axe has looked into all these parts of the widget."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    violations, passes = page.evaluate(AXE, rules)
    assert violations == []
    seen = " ".join(passes)
    assert [part for part in parts if part not in seen] == []


def settings(page: Page, direction: str, theme: str = "auto") -> Iterator[list[str] | None]:
    """Brings the page into each setting; the rules to ask there, all of them in the first of the default theme."""
    for number, (media, size) in enumerate(SETTINGS[direction]):
        page.emulate_media(**media)
        page.set_viewport_size(size)
        yield SEEN if number or theme != "auto" else None


def quick_or_slow(*cases: tuple[str, ...], quick: int) -> list[Any]:
    """So many of these cases in the usual run, which together have each theme, look and position in some direction."""
    slow = [pytest.param(*case, marks=pytest.mark.slow) for case in cases[quick:]]
    return [*cases[:quick], *slow]


@pytest.mark.parametrize(
    ("direction", "position", "theme"),
    quick_or_slow(
        ("ltr", "left", "auto"),
        ("ltr", "left", "dark"),
        ("ltr", "inline", "light"),
        ("ltr", "right", "auto"),
        ("rtl", "inline", "auto"),
        ("rtl", "inline", "dark"),
        ("rtl", "left", "light"),
        ("rtl", "bottom", "auto"),
        ("ltr", "inline", "auto"),
        ("rtl", "left", "auto"),
        ("ltr", "left", "light"),
        ("ltr", "inline", "dark"),
        ("ltr", "bottom", "auto"),
        ("rtl", "left", "dark"),
        ("rtl", "inline", "light"),
        ("rtl", "right", "auto"),
        quick=10,
    ),
)
def test_axe_finds_nothing(tab: Page, site: Site, direction: str, position: str, theme: str) -> None:
    inline = position == "inline"
    site.page(
        "/p",
        BODY % (direction, ELEMENTS if inline else ""),
        head=HEAD,
        snippet=snippet(
            position=position, theme=theme, lang=WORDS[direction], counts="on", survey="#f", follow="x:a linkedin:b"
        ),
    )
    tab.goto(site.origin + "/p")
    tab.wait_for_selector("[part=total]")
    tab.wait_for_selector("[part=link]")
    tab.wait_for_selector("#f label + label")
    if inline:
        tab.wait_for_selector("grapevine-survey [part=field]")
        tab.wait_for_selector("grapevine-forget [part=button]")
    parts = ["grapevine-buttons", *(["grapevine-follow", "grapevine-survey", "grapevine-forget"] if inline else [])]
    for rules in settings(tab, direction, theme):
        tab.locator("[data-channel=copy]").click()
        expect(tab.locator("[part=status]").first).not_to_be_empty()
        check(tab, *parts, rules=rules)


@pytest.mark.parametrize(
    ("direction", "look", "position"),
    quick_or_slow(
        ("ltr", "tiles", "left"),
        ("rtl", "labels", "left"),
        ("ltr", "labels", "inline"),
        ("rtl", "tiles", "inline"),
        ("rtl", "tiles", "left"),
        ("ltr", "labels", "left"),
        ("rtl", "labels", "inline"),
        ("ltr", "tiles", "inline"),
        quick=4,
    ),
)
def test_axe_finds_nothing_in_looks_and_in_the_menu(
    tab: Page, site: Site, direction: str, look: str, position: str
) -> None:
    row = "<grapevine-buttons></grapevine-buttons>" if position == "inline" else ""
    many = "copy whatsapp telegram email x facebook linkedin sms reddit bluesky mastodon qr print slack viber vk"
    attributes = {"look": look, "position": position, "buttons": many, "counts": "on", "lang": WORDS[direction]}
    site.page("/p", BODY % (direction, row), head=HEAD, snippet=snippet(**attributes))
    tab.goto(site.origin + "/p")
    tab.wait_for_selector("[part=total]")
    for rules in settings(tab, direction):
        if position == "left" and tab.viewport_size == PHONE:
            if tab.locator("[part=more]").get_attribute("aria-expanded") == "false":
                tab.locator("[part=more]").click()
            expect(tab.locator("[part=menu]")).to_be_visible()
        check(tab, "grapevine-buttons", rules=rules)


@pytest.mark.parametrize(
    ("direction", "theme"),
    quick_or_slow(
        ("ltr", "auto"), ("rtl", "dark"), ("ltr", "light"), ("rtl", "auto"), ("ltr", "dark"), ("rtl", "light"), quick=3
    ),
)
def test_axe_finds_nothing_in_panels(tab: Page, site: Site, direction: str, theme: str) -> None:
    attributes = {"buttons": "mastodon qr", "theme": theme, "lang": WORDS[direction]}
    site.page("/p", BODY % (direction, ""), head=HEAD, snippet=snippet(**attributes))
    tab.goto(site.origin + "/p")
    until(tab, lambda: tab.evaluate("() => window.grapevine?.url?.('qr')"), lambda url: token(1, "qr") in (url or ""))
    for channel, content in (("mastodon", "input"), ("qr", "[part=code]")):
        tab.locator(f"[data-channel={channel}]").click()
        tab.wait_for_selector(f"[part=panel] {content}")
        for rules in settings(tab, direction, theme):
            check(tab, "grapevine-panel", rules=rules)
        tab.keyboard.press("Escape")
        expect(tab.locator("grapevine-panel")).to_have_count(0)


@pytest.mark.parametrize("language", ["en", "de"])
def test_axe_finds_nothing_in_what_a_link_carries(demo: Demo, reader: MakeReader, language: str) -> None:
    person = reader(locale=language)
    page = person.open(demo.page("/"))
    shared = page.evaluate("() => grapevine.url('copy')")[-23:]
    page.goto(f"{demo.server}/about/{shared}")
    for direction in SETTINGS:
        for rules in settings(page, direction):
            check(page, rules=rules)


def test_axe_would_find_what_is_wrong(tab: Page, site: Site) -> None:
    """It looks into the widget, and its opinion is asked for."""
    site.page("/p", BODY % ("ltr", ELEMENTS), head=HEAD, snippet=snippet(position="inline"))
    tab.goto(site.origin + "/p")
    tab.locator("[data-channel=copy]").evaluate("button => { button.ariaLabel = button.title = '' }")
    with pytest.raises(AssertionError, match="button-name: grapevine-buttons"):
        check(tab)
