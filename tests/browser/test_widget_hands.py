"""Fingers, keyboard and ears: targets that can be hit, focus that is seen and comes back, notices that are read."""

from __future__ import annotations

from typing import Any, Final

import pytest
from playwright.sync_api import Page, expect

from tests.browser.conftest import Visitor, snippet
from tests.browser.fake_collect_api import Recorder, token, until
from tests.browser.held_clock import hold_clock
from tests.support.page_server import Site

LEAST: Final = 44
PHONE: Final = {"width": 390, "height": 780}
DESK: Final = {"width": 1280, "height": 800}
ELEMENTS: Final = """<grapevine-buttons channels="copy mastodon qr slack x"></grapevine-buttons>
<grapevine-follow accounts="x:a mastodon:@me@example.social"></grapevine-follow>
<grapevine-survey contact></grapevine-survey>"""
SCHEMES: Final = "<style>:root { color-scheme: light dark }</style>"
TARGETS: Final = """() => [...document.querySelectorAll('*')]
  .filter(host => /^grapevine-/.test(host.localName))
  .flatMap(host => [...host.shadowRoot.querySelectorAll('a,button,input')])
  .map(element => [element.ariaLabel || element.textContent || 'field', element.getBoundingClientRect()])
  .map(([name, {width, height}]) => [name, width, height])"""
FOCUS: Final = """() => {
  let element = document.activeElement;
  while (element?.shadowRoot?.activeElement) element = element.shadowRoot.activeElement;
  return element?.title || element?.textContent;
}"""
TREE: Final = "() => document.querySelector('grapevine-buttons').shadowRoot.querySelector('[role=status]')"


def shown(page: Page, site: Site, body: str = "", **attributes: str) -> None:
    """Opens a page whose buttons are drawn and have their tokens."""
    site.page("/p", f"<main>{body}</main>", snippet=snippet(**attributes))
    page.goto(site.origin + "/p")
    page.wait_for_function("() => window.grapevine?.visit")
    page.wait_for_selector("[part=button]", state="attached")


@pytest.fixture
def still(visitor: Visitor, recorder: Recorder) -> Page:
    """A page on which nothing moves, with a clipboard."""
    context = visitor(reduced_motion="reduce", viewport=DESK)
    context.grant_permissions(["clipboard-read", "clipboard-write"])
    recorder.attach(context)
    return context.new_page()


@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
@pytest.mark.parametrize("position", ["left", "right", "bottom", "inline"])
def test_every_target_can_be_hit_with_a_finger(still: Page, site: Site, position: str, size: Any) -> None:
    still.set_viewport_size(size)
    shown(still, site, ELEMENTS, position=position, follow="x:a linkedin:b", counts="on")
    still.wait_for_selector("grapevine-survey [part=field]")
    still.wait_for_selector("grapevine-follow [part=link]")
    targets = still.evaluate(TARGETS)
    names = {name for name, *_ in targets}
    assert {"Copy link", "Follow: X", "Send", "field"} <= names
    assert [target for target in targets if min(target[1:]) < LEAST] == []
    until(still, lambda: still.evaluate("() => grapevine.url('qr')"), lambda url: token(1, "qr") in url)
    for channel, content in (("mastodon", "input"), ("qr", "[part=code]")):
        still.locator(f"[data-channel={channel}]").click()
        still.wait_for_selector(f"[part=panel] {content}")
        targets = still.evaluate(TARGETS)
        assert "Close" in {name for name, *_ in targets}
        assert [target for target in targets if min(target[1:]) < LEAST] == []
        still.locator("dialog").get_by_role("button", name="Close").click()


def test_a_site_can_choose_a_smaller_size(still: Page, site: Site) -> None:
    shown(still, site, "<style>grapevine-buttons{--grapevine-size:32px}</style>", buttons="copy x")
    assert {tuple(rest) for _, *rest in still.evaluate(TARGETS)} == {(32, 32)}


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("position", ["left", "right", "bottom", "inline"])
def test_tab_goes_through_the_buttons_as_they_are_seen(still: Page, site: Site, position: str, language: str) -> None:
    body = "<grapevine-buttons></grapevine-buttons>" if position == "inline" else ""
    shown(still, site, body, position=position, lang=language, follow="x:a linkedin:b")
    if position != "inline":
        still.wait_for_selector("[part=link]")
    seen = still.locator("[part=bar] :is(a,button)").evaluate_all(
        """all => all.map(one => [one.title, one.getBoundingClientRect()]).map(([title, {x, y}]) => [title, x, y])"""
    )
    along = 2 if position in ("left", "right") else 1
    wanted = [title for title, *_ in sorted(seen, key=lambda one: one[along], reverse=along == 1 and language == "ar")]
    assert len(wanted) == (7 if position == "inline" else 9)
    for title in wanted:
        still.keyboard.press("Tab")
        assert still.evaluate(FOCUS) == title
    for title in reversed(wanted[:-1]):
        still.keyboard.press("Shift+Tab")
        assert still.evaluate(FOCUS) == title


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("element", ["[part=button]", "[part=link]", "input", "form button"])
def test_focus_can_be_seen(still: Page, site: Site, element: str, scheme: Any) -> None:
    still.emulate_media(color_scheme=scheme)
    shown(still, site, SCHEMES + ELEMENTS, position="inline")
    target = still.locator(element).first
    target.wait_for()
    box = target.bounding_box()
    assert box is not None
    around: Any = {"x": box["x"] - 4, "y": box["y"] - 4, "width": box["width"] + 8, "height": box["height"] + 8}
    before = still.screenshot(clip=around, caret="hide")
    still.keyboard.press("Tab")  # from here on the keyboard is in use, so that focus shows
    target.focus()
    assert still.screenshot(clip=around, caret="hide") != before
    style = target.evaluate(
        "one => { const {outlineStyle: style, outlineWidth: width} = getComputedStyle(one); return [style, width] }"
    )
    assert style == ["solid", "2px"]


@pytest.mark.parametrize("key", ["Enter", "Space"])
def test_a_key_presses_a_button_and_what_happened_is_said(
    still: Page, site: Site, recorder: Recorder, key: str
) -> None:
    shown(still, site, buttons="copy slack")
    region = still.evaluate_handle(TREE)
    assert still.get_by_role("status").count() == 1, "it is there before it has anything to say"
    for number, (channel, said) in enumerate(
        [("copy", "✓ Link copied"), ("slack", "✓ Link copied · paste it in Slack")], start=1
    ):
        still.keyboard.press("Tab")
        still.keyboard.press(key)
        expect(still.get_by_role("status")).to_have_text(said)
        assert still.evaluate("region => region.textContent", region) == said, "said by the same element"
        assert recorder.wait(still, "shares", number)[-1]["token"] == token(1, channel)


def test_enter_opens_a_link(still: Page, site: Site, recorder: Recorder) -> None:
    still.context.route("https://x.com/**", lambda route: route.fulfill(body="X"))
    shown(still, site, buttons="x")
    still.keyboard.press("Tab")
    with still.context.expect_page() as opened:
        still.keyboard.press("Enter")
    assert opened.value.url.startswith("https://x.com/intent/post?")
    assert len(recorder.wait(still, "shares")) == 1


@pytest.mark.parametrize("channel", ["mastodon", "qr"])
@pytest.mark.parametrize("way", ["Escape", "Enter"])
def test_a_panel_closes_by_key_and_gives_the_focus_back(still: Page, site: Site, channel: str, way: str) -> None:
    shown(still, site, ELEMENTS, position="inline")
    until(still, lambda: still.evaluate("() => grapevine.url('qr')"), lambda url: token(1, "qr") in url)
    button = still.locator(f"[data-channel={channel}]")
    title = button.get_attribute("title")
    button.focus()
    still.keyboard.press("Enter")
    still.wait_for_selector("[part=panel]")
    if way == "Enter":
        still.locator("dialog").get_by_role("button", name="Close").focus()
    still.keyboard.press(way)
    expect(still.locator("grapevine-panel")).to_have_count(0)
    assert still.evaluate(FOCUS) == title


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_focus_can_be_seen_in_a_panel(still: Page, site: Site, scheme: Any) -> None:
    still.emulate_media(color_scheme=scheme)
    shown(still, site, SCHEMES, buttons="mastodon")
    still.locator("[data-channel=mastodon]").click()
    seen = set()
    for name in ("Your Mastodon server", "Continue", "Close"):
        still.get_by_label(name).or_(still.get_by_role("button", name=name)).focus()
        still.keyboard.press("Shift")  # the keyboard is in use, so that focus shows
        seen.add(still.locator("dialog").screenshot(caret="hide"))
    still.evaluate("() => document.activeElement.shadowRoot.activeElement.blur()")
    seen.add(still.locator("dialog").screenshot())
    assert len(seen) == 4, "each shows where it is, and none looks like no focus"


def test_focus_stays_in_a_panel(still: Page, site: Site) -> None:
    shown(still, site, ELEMENTS, position="inline")
    still.locator("[data-channel=mastodon]").click()
    still.wait_for_selector("[part=panel]")
    behind = {name for name, *_ in still.evaluate(TARGETS)} - {"field", "Close", "Continue"}
    for _ in range(8):
        still.keyboard.press("Tab")
        assert still.evaluate(FOCUS) not in behind


def test_a_second_notice_stays_as_long_as_the_first(still: Page, site: Site) -> None:
    shown(still, site, buttons="copy slack")
    still.clock.install()
    hold_clock(still)
    notice = still.get_by_role("status")
    still.locator("[data-channel=copy]").click()
    expect(notice).to_have_text("✓ Link copied")
    still.clock.run_for(4000)
    still.locator("[data-channel=slack]").click()
    expect(notice).to_contain_text("Slack")
    still.clock.run_for(4000)
    expect(notice).to_contain_text("Slack")
    still.clock.run_for(1500)
    expect(notice).to_be_empty()


@pytest.mark.parametrize("width", [320, 390, 1280])
@pytest.mark.parametrize("position", ["left", "right", "bottom", "inline"])
def test_a_long_notice_is_all_in_view(still: Page, site: Site, position: str, width: int) -> None:
    still.set_viewport_size({"width": width, "height": 700})
    bar = "<p style='height:200px'></p><grapevine-buttons channels='slack'></grapevine-buttons>"
    shown(still, site, bar if position == "inline" else "", position=position, buttons="slack", lang="el")
    still.locator("[part=button]").click()
    notice = still.get_by_role("status")
    expect(notice).not_to_be_empty()
    box = notice.bounding_box()
    assert box is not None
    assert box["x"] >= 0
    assert box["y"] >= 0
    assert box["x"] + box["width"] <= width
    assert still.evaluate("() => document.scrollingElement.scrollWidth") == width


def test_an_icon_under_the_pointer_keeps_apart_from_its_ground(still: Page, site: Site) -> None:
    shown(still, site, buttons="copy email whatsapp x", follow="mastodon:@me@example.social")
    still.wait_for_selector("[part=link]")
    for target in still.locator("[part=bar] :is(a,button)").all():
        target.hover()
        look = target.evaluate("one => [getComputedStyle(one).color, getComputedStyle(one).backgroundColor]")
        assert look[0] == "rgb(255, 255, 255)"
        assert look[1] not in ("rgb(255, 255, 255)", "rgba(0, 0, 0, 0)")


@pytest.mark.parametrize(("motion", "seconds"), [("reduce", "0s"), ("no-preference", "0.2s")])
def test_nothing_moves_with_reduced_motion(still: Page, site: Site, motion: Any, seconds: str) -> None:
    still.emulate_media(reduced_motion=motion)
    shown(still, site, follow="x:a", counts="on")
    still.wait_for_selector("[part=link]")
    durations = "all => [...new Set(all.map(one => getComputedStyle(one).transitionDuration))]"
    assert still.locator("grapevine-buttons, [part=bar] :is(a,button)").evaluate_all(durations) == [seconds]
    every = "all => all.map(one => getComputedStyle(one)).filter(style => style.animationName != 'none').length"
    assert still.locator("grapevine-buttons, grapevine-buttons *").evaluate_all(every) == 0


def test_after_the_survey_the_thanks_are_said_and_have_the_focus(still: Page, site: Site, recorder: Recorder) -> None:
    shown(still, site, ELEMENTS, position="inline")
    thanks = still.locator("grapevine-survey [part=status]")
    thanks.wait_for(state="attached")
    assert still.get_by_role("status").count() == 2, "it is there before it has anything to say"
    assert still.get_by_label("Email or phone (optional)").get_attribute("autocomplete") == "email"
    still.get_by_label("How did you hear about us?").fill("a friend")
    still.get_by_label("Email or phone (optional)").fill(" me@example.com ")
    still.keyboard.press("Enter")
    expect(thanks).to_have_text("Thank you!")
    assert still.evaluate(FOCUS) == "Thank you!"
    [answer] = recorder.wait(still, "answers")
    assert (answer["text"], answer["contact"]) == ("a friend", "me@example.com")


@pytest.mark.parametrize("attribute", ["", " contact"])
def test_a_contact_is_asked_for_where_the_site_wants_it_and_is_optional(
    still: Page, site: Site, recorder: Recorder, attribute: str
) -> None:
    shown(still, site, f"<grapevine-survey{attribute}></grapevine-survey>", buttons="copy")
    field = still.get_by_label("How did you hear about us?")
    field.fill("the radio")
    assert still.get_by_label("Email or phone (optional)").count() == (1 if attribute else 0)
    field.press("Enter")
    [answer] = recorder.wait(still, "answers")
    assert "contact" not in answer
