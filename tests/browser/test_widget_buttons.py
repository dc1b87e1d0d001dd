"""The share buttons: their content, their clicks, and no side effects on the page."""

from __future__ import annotations

from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visitor, snippet
from tests.browser.fake_collect_api import Recorder, token, until
from tests.support.browsers import clipboard
from tests.support.page_server import Site

ALL = "native copy whatsapp telegram email sms x facebook linkedin reddit bluesky mastodon"
NATIVE = """navigator.share = async what => {
  window.sheet = what;
  if (window.cancel) throw new DOMException('', 'AbortError');
}"""


def opened(page: Page, site: Site, path: str = "/p?a=1", body: str = "", **attributes: str) -> None:
    site.page("/p", body or "<p>A page.</p>", title="Tea & cake", snippet=snippet(**attributes))
    page.goto(site.origin + path)
    page.wait_for_function("() => window.grapevine?.visit")
    if attributes.get("position") not in ("inline", "none") or "<grapevine-" in body:
        page.wait_for_selector("[part=button]", state="attached")


def titles(page: Page) -> list[str | None]:
    return [button.get_attribute("title") for button in page.locator("[part=button]").all()]


def test_links_lead_to_each_channel_with_its_own_token(page: Page, site: Site) -> None:
    opened(page, site, buttons=ALL)
    found = {a.get_attribute("title") or "": a.get_attribute("href") or "" for a in page.locator("a[part]").all()}
    assert list(found) == [
        "WhatsApp", "Telegram", "Email", "SMS", "X", "Facebook", "LinkedIn", "Reddit", "Bluesky",
    ]  # fmt: skip
    for name, href in found.items():
        url = f"{site.origin}/p?a=1#gv={token(1, name.lower())}"
        values = [v for vs in parse_qs(urlsplit(href).query).values() for v in vs]
        assert any(value.endswith(url) for value in values), href
        assert name in ("Facebook", "LinkedIn") or any(value.startswith("Tea & cake") for value in values), href
    assert page.locator("a[part]").evaluate_all("all => all.every(a => a.rel == 'noopener' && a.target == '_blank')")


def test_a_name_that_is_no_channel_does_not_cost_the_visit(page: Page, site: Site, recorder: Recorder) -> None:
    opened(page, site, buttons="pigeon copy whatsapp")
    href = page.get_attribute("[title=WhatsApp]", "href") or ""
    assert token(1, "whatsapp") in href
    nonces = {visit["nonce"] for visit in recorder.of("visits")}
    assert len(nonces) == 1  # the refused request was sent again as the same event


@pytest.mark.parametrize("buttons", [None, "email telegram", "copy, slack", ""])
def test_the_tokens_of_all_buttons_come_with_the_visit(
    page: Page, site: Site, recorder: Recorder, buttons: str | None
) -> None:
    site.page("/p", snippet=snippet(**({} if buttons is None else {"buttons": buttons})))
    page.goto(site.origin + "/p")
    page.wait_for_function("() => window.grapevine?.visit")
    if buttons != "":
        page.wait_for_selector("[part=button]")
    page.wait_for_timeout(150)
    assert recorder.paths == ["visits"]


def test_a_click_on_a_link_opens_it_and_is_reported(whole_page: Page, site: Site, recorder: Recorder) -> None:
    page = whole_page
    page.context.route("https://t.me/**", lambda route: route.fulfill(body="Telegram"))
    opened(page, site)
    with page.context.expect_page() as opened_tab:
        page.click("[title=Telegram]")
    assert opened_tab.value.evaluate("() => window.opener") is None
    [share] = recorder.wait(page, "shares")
    assert share.pop("nonce")
    assert share == {
        "site": "sitekey",
        "session": "session1",
        "token": token(1, "telegram"),
        "url": site.origin + "/p?a=1",
        "title": "Tea & cake",
    }
    until(
        page, lambda: page.get_attribute("[title=Telegram]", "href") or "", lambda href: token(1, "telegram", 1) in href
    )
    with page.context.expect_page():
        page.click("[title=Telegram]", button="middle")
    assert recorder.wait(page, "shares", 2)[1]["token"] == token(1, "telegram", 1)


@pytest.mark.parametrize("old_browser", [False, True])
def test_the_copy_button_copies_the_tagged_url(page: Page, site: Site, recorder: Recorder, old_browser: bool) -> None:
    if old_browser:
        page.add_init_script("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    else:
        page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(page, site)
    page.click("[title='Copy link']")
    notice = page.locator("[role=status]")
    until(page, notice.inner_text, lambda text: text == "✓ Link copied")
    assert clipboard(page)["text/plain"] == f"{site.origin}/p?a=1#gv={token(1, 'copy')}"
    assert [share["token"] for share in recorder.wait(page, "shares")] == [token(1, "copy")]
    assert page.locator("textarea").count() == 0


def test_a_native_share_is_reported_when_it_happened(page: Page, site: Site, recorder: Recorder) -> None:
    page.add_init_script(NATIVE)
    opened(page, site)
    page.evaluate("() => { window.cancel = true }")
    page.click("[title='Share…']")
    page.wait_for_function("() => window.sheet")
    page.evaluate("() => { window.cancel = false }")
    page.click("[title='Share…']")
    [share] = recorder.wait(page, "shares")
    assert share["token"] == token(1, "native")
    assert page.evaluate("() => sheet") == {
        "title": "Tea & cake",
        "url": f"{site.origin}/p?a=1#gv={token(1, 'native')}",
    }


def test_there_is_no_native_button_where_there_is_no_native_sharing(page: Page, site: Site) -> None:
    opened(page, site)
    assert page.evaluate("() => navigator.share === undefined")
    assert titles(page) == ["Copy link", "WhatsApp", "Telegram", "Email", "X", "Facebook", "LinkedIn"]


def test_a_channel_without_a_link_copies_its_own_token_and_says_where_to_paste(page: Page, site: Site) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(page, site, buttons="slack,signal")
    assert titles(page) == ["Slack", "Signal"]
    page.click("[title=Signal]")
    until(page, page.locator("[role=status]").inner_text, lambda text: text == "✓ Link copied · paste it in Signal")
    assert clipboard(page)["text/plain"].endswith(token(1, "signal"))
    # An icon that the script does not carry comes from the server.
    until(page, lambda: page.get_attribute("[title=Signal] path", "d"), bool)


def test_inline_buttons_stand_where_the_page_puts_them(page: Page, site: Site, recorder: Recorder) -> None:
    own, plain = (
        "<grapevine-buttons channels='copy x slack'></grapevine-buttons>",
        "<grapevine-buttons></grapevine-buttons>",
    )
    opened(page, site, body=f"{own}<p>More</p>{plain}", position="inline", buttons="email")
    assert titles(page) == ["Copy link", "X", "Slack", "Email"]
    assert page.locator("grapevine-buttons").count() == 2
    page.evaluate("""() => {
      const late = document.createElement('grapevine-buttons');
      late.setAttribute('channels', 'discord');
      document.body.append(late);
    }""")
    until(page, lambda: page.evaluate("() => grapevine.url('discord')"), lambda url: token(1, "discord") in url)
    assert {visit["nonce"] for visit in recorder.of("visits")} == {recorder.of("visits")[0]["nonce"]}


@pytest.mark.parametrize("position", ["inline", "none"])
def test_a_page_can_do_without_the_sticky_bar(page: Page, site: Site, position: str) -> None:
    opened(page, site, position=position)
    assert page.locator("grapevine-buttons").count() == 0


@pytest.mark.parametrize(
    ("position", "width", "place"),
    [
        ("left", 1280, "left"),
        ("right", 1280, "right"),
        ("bottom", 1280, "bottom"),
        ("left", 390, "bottom"),
        ("right", 390, "bottom"),
        ("bottom", 320, "bottom"),
    ],
)
@pytest.mark.parametrize("direction", ["ltr", "rtl"])
def test_the_bar_keeps_to_its_side(
    visitor: Visitor, site: Site, recorder: Recorder, position: str, width: int, place: str, direction: str
) -> None:
    context = visitor(viewport={"width": width, "height": 700})
    recorder.attach(context)
    page = context.new_page()
    opened(page, site, body=f"<script>document.dir = '{direction}'</script><p>Text</p>", position=position)
    box = page.locator("[part=bar]").bounding_box()
    assert box is not None
    gaps = {
        "left": box["x"],
        "right": width - box["x"] - box["width"],
        "bottom": 700 - box["y"] - box["height"],
        "top": box["y"],
    }
    assert min(gaps.values()) >= 8
    if place == "bottom":
        assert gaps["bottom"] < 20 < gaps["top"]
        assert abs(gaps["left"] - gaps["right"]) <= 1
    else:
        assert gaps[place] < 20
        assert abs(gaps["top"] - gaps["bottom"]) <= 1
    assert page.evaluate("() => document.scrollingElement.scrollWidth") == width
    for button in page.locator("[part=button]").all():
        size = button.bounding_box()
        assert size is not None
        assert min(size["width"], size["height"]) >= 44


def test_the_bottom_bar_gives_way_to_reading(visitor: Visitor, site: Site, recorder: Recorder) -> None:
    context = visitor(viewport={"width": 390, "height": 700})
    recorder.attach(context)
    page = context.new_page()
    opened(page, site, body="<p style='height:5000px'>Long</p>")
    bar = page.locator("[part=bar]")
    top = "() => document.querySelector('grapevine-buttons').getBoundingClientRect().top"
    page.evaluate("() => scrollTo(0, 900)")
    until(page, lambda: page.evaluate(top), lambda y: y > 700)
    page.evaluate("() => scrollTo(0, 600)")
    until(page, lambda: page.evaluate(top), lambda y: y < 700)
    page.evaluate("() => scrollTo(0, 900)")
    bar.locator("[part=button]").first.focus()
    until(page, lambda: page.evaluate(top), lambda y: y < 700)


def test_buttons_have_names_and_can_be_reached_and_pressed_with_the_keyboard(
    page: Page, site: Site, recorder: Recorder
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    opened(page, site)
    assert page.get_by_role("region", name="Share this page").count() == 1
    assert page.get_by_role("link", name="WhatsApp").count() == 1
    page.keyboard.press("Tab")
    focused = "() => document.activeElement.shadowRoot.activeElement"
    assert page.evaluate(f"{focused}.title") == "Copy link"
    assert page.evaluate(f"() => getComputedStyle(({focused})()).outlineStyle") == "solid"
    page.keyboard.press("Enter")
    recorder.wait(page, "shares")


@pytest.mark.parametrize(
    ("scheme", "theme", "dark"),
    [
        ("light", "", False),
        ("dark", "", True),
        ("light", "dark", True),
        ("dark", "light", False),
        ("dark", "auto", True),
    ],
)
def test_the_bar_follows_the_scheme_or_the_theme(
    visitor: Visitor, site: Site, recorder: Recorder, scheme: str, theme: str, dark: bool
) -> None:
    context = visitor(color_scheme=scheme, reduced_motion="reduce")
    recorder.attach(context)
    page = context.new_page()
    opened(page, site, **({"theme": theme} if theme else {}))
    look = page.locator("[part=bar]").evaluate("bar => getComputedStyle(bar).backgroundColor")
    assert (look == "rgb(255, 255, 255)") is not dark
    assert page.locator("[part=button]").first.evaluate("b => getComputedStyle(b).transitionDuration") == "0s"


def test_the_site_can_style_the_parts(page: Page, site: Site) -> None:
    style = "<style>grapevine-buttons{--grapevine-size:60px} grapevine-buttons::part(button){color:rgb(1,2,3)}</style>"
    opened(page, site, body=style)
    first = page.locator("[part=button]").first
    assert first.evaluate("b => [getComputedStyle(b).color, b.offsetWidth]") == ["rgb(1, 2, 3)", 60]


def test_short_links_lead_through_the_server(page: Page, site: Site) -> None:
    opened(page, site, link="short")
    assert page.evaluate("() => grapevine.url('copy')") == f"http://share.localhost/p/s/{token(1, 'copy')}"
