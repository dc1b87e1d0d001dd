"""The playground of the demo site: the preview and the snippet follow the options that a reader sets."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from typing import Any
from urllib.parse import quote

import pytest
from playwright.sync_api import Frame, Page, expect

from tests.browser.demo import ARRIVED, Demo, MakeReader
from tests.support.browsers import clipboard, no_error_yet

BAR = "document.querySelector('grapevine-buttons[position]')"
"""The bar that stays in view."""


class Playground:
    """The page, and the preview in its frame."""

    def __init__(self, page: Page, demo: Demo, setup: str = "") -> None:
        self.page = page
        page.goto(f"{demo.origin}/playground/{setup and '#' + setup}")
        self.settle()

    @property
    def preview(self) -> Frame:
        [frame] = [frame for frame in self.page.frames if frame.parent_frame]
        return frame

    def option(self, name: str) -> Any:
        return self.page.locator(f"[data-option={name}]")

    def switch(self, name: str, value: str) -> None:
        """Sets a control of any kind as a person would."""
        option = self.option(name)
        kind = option.evaluate("option => option.querySelector('select, input')?.type")
        if kind == "radio":
            option.get_by_role("radio", name=value, exact=True).check()
        elif kind == "select-one":
            option.locator("select").select_option(value)
        elif kind == "text":
            option.locator("input").fill(value)
            option.locator("input").press("Enter")
        elif kind == "range":
            option.locator("input").fill(value)
        elif kind == "checkbox":
            option.locator("[type=checkbox]").check()
            option.locator("[type=color]").fill(value)
        else:
            raise AssertionError(kind)

    def settle(self) -> None:
        """Waits until the preview is that of the setup, and its widget has come."""
        self.page.wait_for_function("""() => {
          const frame = document.querySelector('#preview');
          const wanted = JSON.parse(frame.dataset.setup ?? 'null')?.attributes;
          const script = frame.contentDocument?.querySelector('script[data-site]');
          if (!script || script.attributes.length !== Object.keys(wanted).length + 2) return false;
          const same = Object.entries(wanted).every(([name, value]) => script.getAttribute(name) === value);
          return same && frame.contentWindow.grapevine?.version;
        }""")

    def shows(self, what: str) -> None:
        """Waits until that is true of the preview, whose bar may not be there yet."""
        self.preview.wait_for_function(no_error_yet(f"() => {what}"))

    @property
    def snippet(self) -> str:
        return self.page.locator("#snippet").inner_text()

    def embedded(self) -> dict[str, str]:
        """The attributes of the preview's script element."""
        script = "script => Object.fromEntries([...script.attributes].map(({name, value}) => [name, value]))"
        return dict(self.preview.locator("script[data-site]").evaluate(script))

    def api(self, call: str) -> str:
        """Presses a button of the page API; the answer as the log has it."""
        self.page.locator(f".calls [data-call={call}]").click()
        return str(self.page.locator("#log li").filter(has_text=re.compile(rf"{call}\(")).first.inner_text())


class Script(HTMLParser):
    """The first script element of a text."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.attributes: dict[str, str] = {}
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "script":
            self.attributes = {name: value or "" for name, value in attrs}


@pytest.fixture
def playground(reader: MakeReader, demo: Demo) -> Playground:
    return Playground(reader().context.new_page(), demo)


SWITCHES = [
    ("position", "right", f"{BAR}.getAttribute('position') == 'right'"),
    ("position", "bottom", f"{BAR}.getAttribute('position') == 'bottom'"),
    ("position", "inline", f"!{BAR} && document.querySelector('#elements grapevine-buttons').shadowRoot.children[1]"),
    ("position", "none", "grapevine.visit && !document.querySelector('grapevine-buttons')"),
    ("element", "lees", "document.querySelector('lees-buttons[position]')"),
    ("counts", "on", f"{BAR}.shadowRoot.adoptedStyleSheets.length > 1"),
    ("follow", "x:lees mastodon:@lees@a.example", f"{BAR}.shadowRoot.querySelector('[part=link][href*=example]')"),
    ("look", "tiles", f"{BAR}.shadowRoot.querySelector('.tiles')"),
    ("look", "labels", f"{BAR}.shadowRoot.querySelector('[data-channel=copy] span').offsetWidth"),
    ("theme", "dark", f"{BAR}.style.colorScheme == 'dark'"),
    ("lang", "ar", f"{BAR}.shadowRoot.querySelector('[part=bar][lang=ar][dir=rtl]')"),
    ("lang", "de", f"{BAR}.shadowRoot.querySelector('[part=bar][lang=de]')"),
    ("address-bar", "on", "/[#&]gv-[0-9A-Za-z]{23}$/.test(location)"),
    ("link", "short", f"{BAR}.shadowRoot.querySelector('[data-channel=email]').href.includes('%2Fs%2F')"),
    ("param", "via", "/#via-[0-9A-Za-z]{23}$/.test(grapevine.url('copy'))"),
    ("place", "query", "/[?]gv=[0-9A-Za-z]{23}$/.test(grapevine.url('copy'))"),
    ("place", "fragment", "/#gv-[0-9A-Za-z]{23}$/.test(grapevine.url('copy'))"),
    ("consent", "required", "grapevine.version && !grapevine.visit"),
    ("storage", "none", "grapevine.visit"),
    ("storage", "local", "grapevine.visit"),
    ("survey", "#letter", "document.querySelector('#letter input[maxlength=\"500\"]')"),
]


@pytest.mark.parametrize(("name", "value", "effect"), SWITCHES, ids=[f"{name}-{value}" for name, value, _ in SWITCHES])
def test_a_switch_reaches_the_preview_and_the_snippet(
    playground: Playground, name: str, value: str, effect: str
) -> None:
    usual = playground.embedded()
    playground.switch(name, value)
    playground.settle()
    assert playground.embedded() == usual | {f"data-{name}": value}
    playground.shows(effect)
    assert Script(playground.snippet).attributes == playground.embedded()
    playground.page.get_by_role("button", name="Reset all").click()
    playground.settle()
    assert playground.embedded() == usual


LOOKS = [
    ("size", "60", "60px", "a", "width"),
    ("radius", "3", "3px", "div", "borderRadius"),
    ("color", "#112233", "rgb(17, 34, 51)", "a", "color"),
    ("background", "#223344", "rgb(34, 51, 68)", "div", "backgroundColor"),
]


@pytest.mark.parametrize(("name", "value", "computed", "css", "of"), LOOKS, ids=[look[0] for look in LOOKS])
def test_looks_change_without_a_new_page(
    playground: Playground, name: str, value: str, computed: str, css: str, of: str
) -> None:
    playground.shows(f"{BAR}.shadowRoot.querySelector('a')")
    playground.preview.evaluate("() => { window.same = true }")
    playground.switch(name, value)
    said = value + ("px" if value.isdigit() else "")
    expect(playground.page.locator("#styles")).to_have_text(f"grapevine-buttons {{ --grapevine-{name}: {said}; }}")
    playground.shows(f"getComputedStyle({BAR}.shadowRoot.querySelector('{css}')).{of} == '{computed}' && window.same")
    assert "data-" + name not in playground.snippet
    clipboard_of = playground.page.locator("[data-copies=styles]")
    clipboard_of.click()
    expect(playground.page.locator("#styles-box [role=status]")).to_have_text("Copied")
    assert f"--grapevine-{name}: {said};" in clipboard(playground.page)["text/plain"]


def test_the_accent_is_seen_under_the_pointer(playground: Playground) -> None:
    playground.switch("width", "phone")  # Playwright does not find its way in a frame that is shown smaller
    playground.switch("accent", "#654321")
    copy = playground.preview.locator("grapevine-buttons [data-channel=copy]")
    copy.hover()
    playground.shows(
        f"getComputedStyle({BAR}.shadowRoot.querySelector('[data-channel=copy]')).backgroundColor == 'rgb(101, 67, 33)'"
    )


def test_buttons_are_chosen_and_put_in_order_by_keyboard(playground: Playground) -> None:
    page, channels = playground.page, playground.option("buttons")
    names = channels.locator(".chosen li").evaluate_all("rows => rows.map(row => row.dataset.channel)")
    assert names == "native copy whatsapp telegram email x facebook linkedin".split()
    channels.get_by_role("button", name="Later: Copy link").focus()
    page.keyboard.press("Enter")
    expect(channels.get_by_role("button", name="Later: Copy link")).to_be_focused()
    page.keyboard.press("Enter")
    for gone in ("Share…", "WhatsApp", "Telegram", "E-mail", "Facebook"):
        channels.get_by_role("button", name=f"Remove: {gone}").press("Enter")
    channels.get_by_role("button", name="Add: Slack").press("Enter")
    expect(channels.get_by_role("status")).to_have_text("Slack is added")
    channels.get_by_role("button", name="Earlier: Slack").press("Enter")
    playground.settle()
    assert playground.embedded()["data-buttons"] == "copy x slack linkedin"
    drawn = f"[...{BAR}.shadowRoot.querySelectorAll('[data-channel]')].map(one => one.dataset.channel)"
    playground.shows(f"{drawn} == 'copy,x,slack,linkedin'")
    for gone in ("Copy link", "X", "Slack", "LinkedIn"):
        channels.get_by_role("button", name=f"Remove: {gone}", exact=True).press("Enter")
    playground.settle()
    assert 'data-buttons=""' in playground.snippet
    playground.shows("!document.querySelector('grapevine-buttons')")


@pytest.mark.parametrize(("value", "tagged"), [("links", True), ("off", False)])
def test_an_article_to_copy_from(playground: Playground, value: str, tagged: bool) -> None:
    playground.switch("copy", value)
    playground.settle()
    playground.shows("grapevine.visit")
    own = playground.preview.locator("[data-own]")
    own.evaluate("link => { getSelection().selectAllChildren(link.parentElement); focus() }")
    playground.page.keyboard.press("Control+c")
    playground.preview.locator("#pasted").focus()
    playground.page.keyboard.press("Control+v")
    pasted = playground.preview.locator("#pasted").input_value()
    assert "Copy these lines" in pasted
    assert bool(re.search(r"gv[=-][0-9A-Za-z]{23}", pasted)) is tagged


def test_shared_addresses_go_without_tracking_as_the_options_say(playground: Playground) -> None:
    address = "?loaf=2&utm_source=letter&utm_medium=mail"
    for name, value, shared in [
        ("clean", "on", "?loaf=2#"),
        ("keep", "utm_source", "?loaf=2&utm_source=letter#"),
        ("clean", "off", f"{address}#"),
    ]:
        playground.switch(name, value)
        playground.settle()
        assert playground.embedded().get(f"data-{name}", "on") == value
        assert Script(playground.snippet).attributes == playground.embedded()
        playground.preview.evaluate("address => history.replaceState(null, '', address)", address)
        playground.shows(f"grapevine.url('copy').includes('{shared}')")


def test_consent_is_given_and_taken_back(reader: MakeReader, demo: Demo) -> None:
    someone = reader()
    playground = Playground(someone.context.new_page(), demo, "consent=required")
    assert someone.paths == []
    playground.page.get_by_role("button", name="Give consent").click()
    playground.shows("grapevine.visit")
    assert someone.paths == ["visits"]
    playground.page.get_by_role("button", name="Take it back").click()
    playground.shows("!grapevine.visit && !Object.keys(sessionStorage).length")
    playground.switch("consent", "granted")
    expect(playground.page.get_by_role("button", name="Give consent")).to_be_hidden()


def test_reports_go_to_the_endpoint_that_is_typed(playground: Playground, demo: Demo) -> None:
    elsewhere = demo.server.replace("127.0.0.1", "localhost")
    playground.shows("grapevine.visit")
    playground.preview.evaluate("() => sessionStorage.clear()")
    with playground.page.expect_request(f"{elsewhere}/v1/visits"):
        playground.switch("endpoint", elsewhere)
    playground.settle()
    playground.shows("grapevine.visit")


def test_what_cannot_be_is_marked_and_changes_nothing(playground: Playground) -> None:
    before = playground.snippet
    field = playground.option("param").locator("input")
    field.fill("a b")
    field.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "true")
    assert playground.snippet == before
    field.fill("via")
    field.press("Enter")
    expect(field).to_have_attribute("aria-invalid", "false")
    assert 'data-param="via"' in playground.snippet


def test_events_and_answers_are_in_the_log(reader: MakeReader, demo: Demo) -> None:
    someone = reader()
    playground = Playground(someone.context.new_page(), demo, "width=phone")
    playground.shows("grapevine.visit")
    log = playground.page.locator("#log")
    expect(log).to_contain_text("grapevine:ready")
    playground.preview.locator("grapevine-buttons [data-channel=copy]").click()
    expect(log).to_contain_text('grapevine:share{"channel":"copy"')
    assert "true" in playground.api("share")
    [copied] = re.findall(r"#gv-([0-9A-Za-z]{23})$", clipboard(playground.page)["text/plain"])
    assert demo.share(copied)["channel"] == "copy"
    playground.page.get_by_label("Channel", exact=True).select_option("email")
    assert re.search(r'url\("email"\).*#gv-[0-9A-Za-z]{23}', playground.api("url"))
    assert "signup" in playground.api("convert")
    someone.wait(playground.page, "conversions")
    playground.page.locator(".calls [data-call=withdraw]").click()
    expect(log).to_contain_text("consent(false)")
    playground.shows("!grapevine.visit")
    playground.page.locator(".calls [data-call=give]").click()
    playground.shows("grapevine.visit")


def test_a_setup_is_an_address(reader: MakeReader, demo: Demo) -> None:
    page = reader().context.new_page()
    first = Playground(page, demo)
    first.switch("position", "right")
    first.switch("follow", "x:lees")
    first.switch("size", "52")
    first.switch("width", "phone")
    first.settle()
    expect(page).to_have_url(re.compile("follow="))
    second = Playground(page.context.new_page(), demo, page.url.partition("#")[2])
    assert second.snippet == first.snippet
    assert second.page.locator("#styles").inner_text() == page.locator("#styles").inner_text()
    expect(second.option("width").get_by_role("radio", name="phone")).to_be_checked()
    strange = Playground(page.context.new_page(), demo, f"position=up&size=9999&color=red&param={quote('<b>')}&lang=xx")
    assert set(strange.embedded()) == {"async", "src", "data-site"}


@pytest.mark.parametrize("has_clipboard", [True, False])
def test_the_copy_button_copies_the_snippet_and_nothing_else(
    reader: MakeReader, demo: Demo, has_clipboard: bool
) -> None:
    page = reader().context.new_page()
    if not has_clipboard:  # plain http
        page.add_init_script("Object.defineProperty(Navigator.prototype, 'clipboard', {value: undefined})")
    playground = Playground(page, demo, "position=right&follow=x:lees")
    page.get_by_role("button", name="Copy the snippet").click()
    expect(page.locator(".said").first).to_have_text("Copied")
    assert clipboard(page)["text/plain"] == playground.snippet
    assert "gv" not in playground.snippet


def test_a_snippet_works_on_a_fresh_page(reader: MakeReader, demo: Demo) -> None:
    setup = f"position=inline&buttons={quote('copy slack')}&follow={quote('x:a&b')}&lang=de&survey={quote('#letter')}"
    someone = reader()
    playground = Playground(someone.context.new_page(), demo, setup)
    fresh = someone.context.new_page()
    nothing = {"content-type": "text/javascript", "cache-control": "no-store"}
    fresh.route("**/widget.js", lambda route: route.fulfill(body="", headers=nothing))
    fresh.goto(f"{demo.origin}/docs/")
    fresh.unroute_all()
    fresh.set_content(f"<!doctype html><html lang=en><title>Fresh</title><form id=letter></form>{playground.snippet}")
    fresh.wait_for_function(ARRIVED)
    expect(fresh.locator("grapevine-buttons [part=button]")).to_have_count(2)
    expect(fresh.locator("grapevine-buttons [part=bar]")).to_have_attribute("lang", "de")
    expect(fresh.locator("grapevine-follow [part=link]")).to_have_attribute("href", "https://x.com/a&b")
    expect(fresh.locator("#letter input")).to_have_count(1)


def test_widths_and_schemes_of_the_preview(playground: Playground) -> None:
    assert playground.preview.evaluate("innerWidth") == 1280
    playground.switch("width", "phone")
    playground.shows("innerWidth == 390")
    for scheme, ground in [("dark", "rgb(23, 18, 26)"), ("light", "rgb(244, 245, 239)")]:
        playground.switch("scheme", scheme)
        playground.shows(f"getComputedStyle(document.documentElement).backgroundColor == '{ground}'")
        playground.shows(f"getComputedStyle({BAR}).colorScheme == '{scheme}'")
    assert "scheme" not in playground.snippet


def test_a_preview_that_is_passed_on_is_a_page_like_any_other(reader: MakeReader, demo: Demo) -> None:
    playground = Playground(reader().context.new_page(), demo, "position=right")
    playground.shows("grapevine.visit")
    link = playground.preview.evaluate("grapevine.url('copy')")
    friend = reader().open(link)
    assert friend.evaluate(ARRIVED)
    assert demo.get(f"/v1/tokens/{link.partition('#gv-')[2]}")["share"]["returns"] == 1
    assert json.loads(
        friend.evaluate("JSON.stringify(document.querySelector('script[data-site]').dataset)")
    ).keys() == {"site"}
