"""Looks: tiles and labels, the theme of the page, a row without orphans, and the menu of what does not fit."""

from __future__ import annotations

import json
from itertools import product
from pathlib import Path
from typing import Any, Final

import pytest
from playwright.sync_api import Page, ViewportSize, expect

from tests.browser.conftest import Visitor, snippet
from tests.browser.fake_collect_api import Recorder, until
from tests.support.page_server import Site

CHANNELS: Final = json.loads(Path("widget/channels.json").read_text(encoding="utf-8"))
PHONE: Final[ViewportSize] = {"width": 360, "height": 640}
DESK: Final[ViewportSize] = {"width": 1280, "height": 800}
MANY: Final = "copy whatsapp telegram email x facebook linkedin sms reddit bluesky mastodon qr print slack"
BAR: Final = "document.querySelector('grapevine-buttons').shadowRoot.querySelector('[part=bar]')"
FOCUS: Final = """() => {
  const inner = document.activeElement.shadowRoot?.activeElement;
  return inner ? inner.title : document.activeElement.localName;
}"""


@pytest.fixture
def still(visitor: Visitor, recorder: Recorder) -> Page:
    """A page on which nothing moves."""
    context = visitor(reduced_motion="reduce", viewport=DESK)
    recorder.attach(context)
    return context.new_page()


def shown(page: Page, site: Site, body: str = "<p>Text</p>", head: str = "", **attributes: str) -> None:
    site.page("/p", body, head=head, snippet=snippet(**attributes))
    page.goto(site.origin + "/p")
    page.wait_for_selector("[part=button]", state="attached")


def luminance(colour: str) -> float:
    """Returns the relative luminance of `#rrggbb` or `#rgb` (WCAG 2.2)."""
    digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
    parts = [int(digits[i : i + 2], 16) / 255 for i in (0, 2, 4)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


@pytest.mark.parametrize("channel", [name for name, entry in CHANNELS.items() if "colour" in entry])
def test_white_can_be_read_on_the_colour_of_a_brand(channel: str) -> None:
    assert 1.05 / (luminance(CHANNELS[channel]["colour"]) + 0.05) >= 4.5, "an icon asks for 3, a count for 4.5"


# Looks ----------------------------------------------------------------------------------------------------------------

SEEN: Final = """() => Object.fromEntries(
  [...document.querySelector('grapevine-buttons').shadowRoot.querySelectorAll('[part=button]')].map(button => {
    const style = getComputedStyle(button);
    const word = button.querySelector('[part=label]');
    const said = word?.offsetWidth ? word.textContent : '';
    return [button.dataset.channel, [style.backgroundColor, style.color, style.opacity, said]];
  }))"""


def test_tiles_have_the_colours_of_the_brands(still: Page, site: Site) -> None:
    shown(still, site, look="tiles", buttons="copy whatsapp x mastodon")
    seen = still.evaluate(SEEN)
    for channel, (ground, icon, opacity, word) in seen.items():
        colour = CHANNELS[channel].get("colour", "#4f46e5")
        digits = colour[1:] if len(colour) == 7 else "".join(digit * 2 for digit in colour[1:])
        assert ground == f"rgb({', '.join(str(int(digits[i : i + 2], 16)) for i in (0, 2, 4))})"
        assert (icon, opacity, word) == ("rgb(255, 255, 255)", "1", "")


def test_labels_say_what_each_button_is_and_a_page_may_change_its_mind(still: Page, site: Site) -> None:
    elements = "<grapevine-buttons look='labels' channels='copy x'></grapevine-buttons>"
    shown(still, site, elements, look="tiles", position="inline", lang="de")
    assert {channel: word for channel, (*_, word) in still.evaluate(SEEN).items()} == {
        "copy": "Link kopieren",
        "x": "X",
    }
    still.evaluate("() => document.querySelector('grapevine-buttons').removeAttribute('look')")
    still.evaluate("() => history.pushState(null, '', '?next')")
    until(
        still,
        lambda: still.evaluate(SEEN)["copy"],
        lambda seen: seen == ["rgb(79, 70, 229)", "rgb(255, 255, 255)", "1", ""],
    )
    still.evaluate("() => { document.querySelector('[data-site]').dataset.look = 'plain' }")
    still.evaluate("() => history.pushState(null, '', '?last')")
    until(still, lambda: still.evaluate(SEEN)["copy"][0], lambda ground: ground == "rgba(0, 0, 0, 0)")


def test_the_plain_look_loads_nothing(still: Page, site: Site, recorder: Recorder) -> None:
    shown(still, site)
    still.wait_for_timeout(100)
    assert [name.split(".", 2)[2] for name in recorder.asked if name.count(".") > 1] == ["buttons.js"]


# The theme ------------------------------------------------------------------------------------------------------------

THEMES: Final = [
    # what the page's style sheet says, the reader's system, what the bar is
    ("", "light", "light"),
    ("", "dark", "dark"),
    (":root{color-scheme:dark}", "light", "dark"),
    (":root{color-scheme:only light}body{background:#222}", "dark", "light"),
    (":root{color-scheme:light dark}", "dark", "dark"),
    (":root{color-scheme:light dark}body{background:#111}", "light", "dark"),
    ("body{color-scheme:dark}", "light", "dark"),
    ("body{background:#181a1b}", "light", "dark"),
    ("body{background:white}", "dark", "light"),
    ("html{background:#000}", "light", "dark"),
    ("html{background:#000}body{background:#fffaf0}", "dark", "light"),
    ("html{background:navy}body{background:rgb(255 255 255 / 0.2)}", "light", "dark"),
    ("body{background:oklch(0.21 0.034 264.665)}", "light", "dark"),
    ("body{background:oklch(0.98 0.01 90 / 0.9)}", "dark", "light"),
    ("body{background:oklab(0.25 -0.02 -0.03 / 0.8)}", "light", "dark"),
    ("body{background:lab(8.11 0.8 -12.2)}", "light", "dark"),
    ("body{background:lch(96 4 90)}", "dark", "light"),
    ("body{background:color(display-p3 0.1 0.09 0.12)}", "light", "dark"),
    ("body{background:color-mix(in srgb, white 95%, blue)}", "dark", "light"),
    ("body{background:hsl(220 60% 12%)}", "light", "dark"),
    ("@media(prefers-color-scheme:dark){body{background:#222}}", "dark", "dark"),
]
STYLE: Final = """css => {
  window.sheet ||= new CSSStyleSheet();
  window.sheet.replaceSync(css);
  document.adoptedStyleSheets = [window.sheet];
}"""
SCHEME: Final = f"() => getComputedStyle({BAR}).backgroundColor == 'rgb(255, 255, 255)' ? 'light' : 'dark'"


def wait_for_scheme(page: Page, wanted: str, case: str) -> None:
    until(page, lambda: (page.evaluate(SCHEME), case), lambda seen: bool(seen[0] == wanted))


def test_the_bar_and_its_panel_follow_the_page_then_the_system(still: Page, site: Site) -> None:
    shown(still, site, buttons="copy mastodon")
    for css, system, wanted in THEMES:
        still.emulate_media(color_scheme=system)  # type: ignore[arg-type]
        still.evaluate(STYLE, css)
        wait_for_scheme(still, wanted, css)
    still.emulate_media(color_scheme="light")
    still.evaluate(STYLE, "body{background:#123}")
    still.locator("[data-channel=mastodon]").click()
    panel = still.locator("dialog")
    assert panel.evaluate("panel => getComputedStyle(panel).colorScheme") == "dark"


TOGGLES: Final = {
    "a class of the document element": (
        "html.dark body{background:#111;color:#eee}",
        "document.documentElement.className = 'dark'",
    ),
    "an attribute of the body": ("body[data-mode=night]{background:#111}", "document.body.dataset.mode = 'night'"),
    "a style": ("", "document.body.style.background = '#111'"),
    "a scheme": (":root.dark{color-scheme:dark}", "document.documentElement.className = 'dark'"),
    "a checked box": ("body:has(:checked){background:#111}", "document.querySelector('input').checked = true"),
    "a sheet that is switched on": ("", "document.querySelector('#night').media = 'all'"),
    "slowly": ("body{transition:background .3s}body.dark{background:#111}", "document.body.className = 'dark'"),
}


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_the_bar_follows_when_the_page_changes_its_theme(
    visitor: Visitor, site: Site, recorder: Recorder, motion: Any
) -> None:
    context = visitor(reduced_motion=motion, color_scheme="light")
    recorder.attach(context)
    page = context.new_page()
    for name, (css, toggle) in TOGGLES.items():
        head = f"<style>{css}</style><style id='night' media='not all'>body{{background:#111}}</style>"
        shown(page, site, "<input type='checkbox'>", head)
        page.wait_for_timeout(50)
        assert page.evaluate(SCHEME) == "light"
        page.evaluate(f"() => {{ {toggle} }}")
        wait_for_scheme(page, "dark", name)


# The bar on phones ----------------------------------------------------------------------------------------------------

TOP: Final = "() => document.querySelector('grapevine-buttons').getBoundingClientRect().top"


def test_the_bottom_bar_comes_back_when_scrolling_pauses_and_at_the_end(still: Page, site: Site) -> None:
    still.set_viewport_size(PHONE)
    shown(still, site, "<p style='height:3000px'>Long</p>")
    for _ in range(2):
        still.mouse.wheel(0, 400)
        until(still, lambda: still.evaluate(TOP), lambda y: y > PHONE["height"])
        until(still, lambda: still.evaluate(TOP), lambda y: y < PHONE["height"])
    still.evaluate("() => scrollTo(0, 1e5)")
    until(still, lambda: still.evaluate(TOP), lambda y: y < PHONE["height"])
    still.evaluate("() => { document.querySelector('p').style.height = '100px' }")
    still.wait_for_timeout(50)
    assert still.evaluate(TOP) < PHONE["height"], "on a page that has become short"


# Rows in the page -----------------------------------------------------------------------------------------------------

ROWS: Final = """widths => widths.map(width => {
  const main = document.querySelector('main');
  main.style.width = width + 'px';
  const rows = {};
  for (const button of main.firstElementChild.shadowRoot.querySelectorAll('[part=button]')) {
    const {top} = button.getBoundingClientRect();
    rows[top] = (rows[top] || 0) + 1;
  }
  return [width, Object.values(rows), main.scrollWidth <= width];
})"""


@pytest.mark.parametrize("look", ["plain", "tiles", "labels"])
def test_a_row_that_wraps_leaves_no_button_alone(still: Page, site: Site, look: str) -> None:
    widths = list(range(260 if look == "labels" else 150, 700, 10))
    for count in (4, 5, 7, 8, 10, 13):
        channels = " ".join(MANY.split()[:count])
        body = f"<main><grapevine-buttons channels='{channels}'></grapevine-buttons></main>"
        shown(still, site, body, position="inline", look=look)
        found = still.evaluate(ROWS, widths)
        assert [rows for rows in found if sum(rows[1]) != count or not rows[2]] == []
        assert [rows for rows in found if rows[1][-1] == 1] == []
        assert len({len(rows[1]) for rows in found}) > 1, "some of these widths break it"


@pytest.mark.parametrize(("align", "place"), [("start", 0), ("center", 0.5), ("end", 1)])
@pytest.mark.parametrize("look", ["plain", "tiles", "labels"])
def test_a_row_stands_where_the_text_stands(still: Page, site: Site, look: str, align: str, place: float) -> None:
    row = "<grapevine-buttons channels='copy x email'></grapevine-buttons>"
    shown(
        still,
        site,
        f"<main style='width:600px;text-align:{align}'>{row}<p>Text</p></main>",
        position="inline",
        look=look,
    )
    main = still.locator("main").bounding_box()
    seen = still.locator("[part=button] svg" if look == "plain" else "[part=button]")
    boxes = [box for box in (seen.nth(i).bounding_box() for i in range(3)) if box]
    assert main is not None
    left, right = boxes[0]["x"] - main["x"], main["x"] + main["width"] - boxes[-1]["x"] - boxes[-1]["width"]
    assert abs(left - (left + right) * place) < 1
    host = still.locator("grapevine-buttons").bounding_box()
    assert host is not None
    assert host["height"] == 44


# The menu of what does not fit ----------------------------------------------------------------------------------------

INSIDE: Final = """() => {
  const root = document.querySelector('grapevine-buttons').shadowRoot;
  const boxes = selector => [...root.querySelectorAll(selector)].map(one => [one.title, one.getBoundingClientRect()]);
  const {clientWidth, clientHeight} = document.documentElement;
  const inside = one => one.left >= 0 && one.top >= 0 && one.right <= clientWidth && one.bottom <= clientHeight;
  const apart = (a, b) => a.right <= b.left || b.right <= a.left || a.bottom <= b.top || b.bottom <= a.top;
  const bar = boxes('[part=bar] > :is([part=button],[part=more])');
  const menu = root.querySelector('[part=menu]');
  return {
    outside: bar.filter(([, box]) => !inside(box)).map(([title]) => title),
    overlapping: bar.filter(([, a], i) => bar.some(([, b], j) => j > i && !apart(a, b))).map(([title]) => title),
    small: bar.filter(([, box]) => Math.min(box.width, box.height) < 44).map(([title]) => title),
    all: root.querySelectorAll('[part=button]').length,
    in_menu: menu ? menu.querySelectorAll('[part=button]').length : 0,
    menu: !menu || inside(menu.getBoundingClientRect()),
    over: menu ? boxes('[part=bar]').filter(([, box]) => !apart(box, menu.getBoundingClientRect())).length : 0,
    wide: document.scrollingElement.scrollWidth > clientWidth,
  };
}"""
FINE: Final = {"outside": [], "overlapping": [], "small": [], "menu": True, "over": 0, "wide": False, "all": 14}
SIZES: Final = [(320, 568), (360, 640), (640, 320), (1000, 300), (1280, 420), (1280, 800)]


@pytest.mark.parametrize("direction", ["ltr", "rtl"])
@pytest.mark.parametrize("look", ["plain", "tiles", "labels"])
def test_every_button_is_in_the_bar_or_in_its_menu(still: Page, site: Site, look: str, direction: str) -> None:
    language = "ar" if direction == "rtl" else "de"
    for position in ("left", "right", "bottom"):
        still.set_viewport_size({"width": 1280, "height": 1400})
        body = f"<script>document.dir = '{direction}'</script><p>Text</p>"
        shown(still, site, body, look=look, position=position, buttons=MANY, lang=language, counts="on", follow="x:a")
        still.wait_for_selector("[part=link]")
        for width, height in SIZES:
            still.set_viewport_size({"width": width, "height": height})
            vertical = position != "bottom" and width >= 1000
            if width < 640 or (vertical and height < 640):
                until(still, lambda: still.evaluate(INSIDE)["in_menu"])
            still.wait_for_timeout(50)
            until(still, lambda: still.evaluate(INSIDE), lambda seen: seen | FINE == seen)


def test_the_menu_opens_and_closes_by_key_and_gives_the_focus_back(still: Page, site: Site, recorder: Recorder) -> None:
    still.context.grant_permissions(["clipboard-read", "clipboard-write"])
    still.set_viewport_size(PHONE)
    shown(still, site, "<p>Text <a href='#'>link</a></p>", buttons=MANY, counts="on")
    more = still.get_by_role("button", name="More")
    menu = still.get_by_role("region", name="More")
    expect(more).to_have_attribute("aria-expanded", "false")
    expect(menu).to_have_count(0)
    last = still.locator("[part=bar] [part=button]").last
    last.focus()
    still.keyboard.press("Tab")
    assert still.evaluate(FOCUS) == "More"
    still.keyboard.press("Enter")
    expect(more).to_have_attribute("aria-expanded", "true")
    expect(menu).to_be_visible()
    expect(still.get_by_role("button", name="Slack")).to_be_visible()
    still.keyboard.press("Tab")
    first = still.locator("[part=menu] [part=button]").first.get_attribute("title")
    assert still.evaluate(FOCUS) == first
    still.keyboard.press("Escape")
    expect(menu).to_have_count(0)
    assert still.evaluate(FOCUS) == "More"
    still.keyboard.press("Space")
    expect(menu).to_be_visible()
    still.keyboard.press("Shift+Tab")
    assert still.evaluate(FOCUS) == last.get_attribute("title"), "out of the menu, which closes"
    expect(menu).to_have_count(0)
    more.click()
    still.get_by_role("button", name="Slack").click()
    expect(still.get_by_role("status")).to_have_text("✓ Link copied · paste it in Slack")
    expect(menu).to_have_count(0)
    assert still.evaluate(FOCUS) == "More"
    more.click()
    still.mouse.click(20, 20)
    expect(menu).to_have_count(0)
    recorder.wait(still, "shares")


def test_the_menu_goes_when_there_is_room(still: Page, site: Site) -> None:
    still.set_viewport_size({"width": 1280, "height": 300})
    shown(still, site, buttons=MANY)
    expect(still.locator("[part=more]")).to_have_count(1)
    order = still.locator("[part=button]").evaluate_all("all => all.map(one => one.dataset.channel).join(' ')")
    assert order == MANY
    still.set_viewport_size({"width": 1280, "height": 1200})
    expect(still.locator("[part=more]")).to_have_count(0)
    assert still.locator("[part=bar] [part=button]").count() == 14
    order = still.locator("[part=bar] [part=button]").evaluate_all(
        "all => all.map(one => one.dataset.channel).join(' ')"
    )
    assert order == MANY


def test_a_bar_that_fits_has_no_menu(still: Page, site: Site, recorder: Recorder) -> None:
    for width, height in ((360, 640), (390, 700), (640, 320), (1000, 420), (1280, 800)):
        still.set_viewport_size({"width": width, "height": height})
        shown(still, site)
        still.wait_for_timeout(100)
        assert still.locator("[part=more]").count() == 0, (width, height)
    assert not [name for name in recorder.asked if "more" in name]


# Counts ---------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "total", "said"),
    [
        ("en", 1, "1 share"), ("en", 12, "12 shares"), ("en", 1234, "1.2K shares"), ("pl", 3, "3 udostępnienia"),
        ("ru", 1234, "1,2\u00a0тыс. репостов"), ("fr", 1_200_000, "1,2\u00a0M de partages"), ("ar", 2, "مشاركتان"),
        ("ro", 25, "25 de distribuiri"), ("ja", 7, "共有 7 件"), ("de", 12, "12-mal geteilt"),
    ],
)  # fmt: skip
def test_the_total_has_a_word(
    still: Page, site: Site, recorder: Recorder, language: str, total: int, said: str
) -> None:
    recorder.counts = {"total": total, "channels": {}}
    shown(still, site, counts="on", lang=language)
    expect(still.locator("[part=total]")).to_have_text(said)
    box = still.locator("[part=total]").bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["x"] + box["width"] <= DESK["width"]


def test_the_words_of_counts_are_all_in_view(still: Page, site: Site, recorder: Recorder) -> None:
    recorder.counts = {"total": 1234, "channels": {}}
    for position, (width, height) in product(("left", "right"), ((360, 640), (1100, 420))):
        still.set_viewport_size({"width": width, "height": height})
        shown(still, site, counts="on", lang="el", position=position, buttons=MANY)
        box = still.locator("[part=total]").bounding_box()
        assert box is not None
        assert box["x"] >= 0
        assert box["y"] >= 0
        assert box["x"] + box["width"] <= width
