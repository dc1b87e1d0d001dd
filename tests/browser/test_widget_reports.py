"""Reports of shares: under the session of the visit that made them, and before a short link can be followed."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page, Route

from tests.browser.fake_collect_api import HOME, Recorder, token, until
from tests.browser.held_clock import hold_clock
from tests.browser.test_widget_buttons import opened
from tests.support.browsers import clipboard
from tests.support.page_server import Site

SLOW_SHEET = """navigator.share = what => {
  window.sheet = what;
  return new Promise(done => { window.choose = done });
}"""


def sent(recorder: Recorder) -> list[tuple[str, str]]:
    return [(share["session"], share["token"]) for share in recorder.of("shares")]


def test_a_native_dialog_that_outlives_its_visit_reports_the_visit_that_it_was_opened_in(
    page: Page, site: Site, recorder: Recorder
) -> None:
    page.add_init_script(SLOW_SHEET)
    page.clock.install()
    opened(page, site)
    page.click("[title='Share…']")
    page.wait_for_function("() => window.sheet")
    page.clock.fast_forward("31:00")
    page.evaluate("() => { history.pushState(null, '', '/p?next'); dispatchEvent(new PopStateEvent('popstate')) }")
    page.clock.run_for(1000)
    recorder.wait(page, "visits", 2)
    until(page, lambda: page.evaluate("() => window.grapevine.visit"), lambda visit: visit == "visit2")
    page.evaluate("() => choose()")
    recorder.wait(page, "shares")
    assert sent(recorder) == [("session1", token(1, "native"))]
    assert recorder.of("shares")[0]["url"] == f"{site.origin}/p?a=1"
    # The next share is the new visit's.
    page.click("[title='Share…']")
    page.evaluate("() => choose()")
    recorder.wait(page, "shares", 2)
    assert sent(recorder)[1] == ("session2", token(2, "native"))


def test_a_report_that_waits_in_the_outbox_keeps_the_session_of_its_visit(
    page: Page, site: Site, recorder: Recorder
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.clock.install()
    opened(page, site)
    recorder.away = True
    page.click("[title='Copy link']")
    until(page, lambda: page.evaluate("() => document.querySelector('grapevine-buttons').shadowRoot.textContent"))
    page.clock.run_for(3000)  # the report has failed and waits
    until(page, lambda: "shares" in page.evaluate("() => Object.values(sessionStorage).join()"))
    page.clock.fast_forward("31:00")
    page.goto(site.origin + "/p?later")
    page.wait_for_function("() => window.grapevine")
    recorder.away = False

    def retried() -> bool:
        page.clock.run_for(1000)
        return bool(recorder.of("shares")) and len(recorder.of("visits")) > 1

    until(page, retried)
    assert sent(recorder)[0] == ("session1", token(1, "copy"))
    assert set(sent(recorder)) == {("session1", token(1, "copy"))}


class Gate:
    """Lets reports of shares through when a test says so."""

    def __init__(self, page: Page) -> None:
        self.waiting: list[Route] = []
        page.context.route(HOME + "v1/shares", self._hold)

    def _hold(self, route: Route) -> None:
        self.waiting.append(route)

    def open(self) -> None:
        while self.waiting:
            self.waiting.pop().fallback()


QR_BAR = "<grapevine-buttons channels='qr'></grapevine-buttons>"


def opened_qr(page: Page, site: Site) -> None:
    opened(page, site, body=QR_BAR, buttons="")
    until(page, lambda: page.evaluate("() => grapevine.url('qr')"), lambda url: token(1, "qr") in url)


def test_a_qr_code_is_shown_when_the_server_has_its_report(page: Page, site: Site, recorder: Recorder) -> None:
    gate = Gate(page)
    opened_qr(page, site)
    page.clock.install()
    page.click("[title='QR code']")
    until(page, lambda: gate.waiting)
    assert page.locator("dialog").count() == 0
    gate.open()
    page.wait_for_selector("dialog [part=code] path")
    assert sent(recorder) == [("session1", token(1, "qr"))]


def test_a_qr_code_does_not_wait_long_for_a_silent_server(page: Page, site: Site, recorder: Recorder) -> None:
    gate = Gate(page)
    opened_qr(page, site)
    page.clock.install()
    hold_clock(page)
    page.click("[title='QR code']")
    until(page, lambda: gate.waiting)
    page.clock.run_for(1400)
    assert page.locator("dialog").count() == 0
    page.clock.run_for(200)
    page.wait_for_selector("dialog [part=code] path")
    gate.open()
    recorder.wait(page, "shares")
    assert sent(recorder) == [("session1", token(1, "qr"))]


def test_a_qr_code_that_cannot_be_drawn_is_no_share(page: Page, site: Site, recorder: Recorder) -> None:
    page.context.route("**/qr.svg", lambda route: route.abort())
    opened_qr(page, site)
    with page.expect_event("requestfailed"):
        page.click("[title='QR code']")
    assert page.locator("dialog").count() == 0
    assert recorder.of("shares") == []


@pytest.mark.parametrize("link", ["page", "short"])
def test_a_copied_link_waits_for_no_report_and_a_short_one_is_reported_first(
    page: Page, site: Site, recorder: Recorder, link: str
) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.add_init_script("""
      window.order = [];
      const {fetch} = window, {writeText} = Clipboard.prototype;
      window.fetch = (url, ...more) => { if (/shares$/.test(url)) order.push('report'); return fetch(url, ...more) };
      Clipboard.prototype.writeText = function (text) { order.push('copy'); return writeText.call(this, text) };
    """)
    gate = Gate(page)
    opened(page, site, link=link)
    page.click("[title='Copy link']")
    until(page, lambda: gate.waiting)
    until(page, page.locator("[role=status]").inner_text, lambda text: text.startswith("✓"))
    copied = clipboard(page)["text/plain"]
    assert (
        copied
        == {
            "page": f"{site.origin}/p?a=1#gv={token(1, 'copy')}",
            "short": f"{HOME}s/{token(1, 'copy')}",
        }[link]
    )
    assert page.evaluate("() => order") == {"page": ["copy", "report"], "short": ["report", "copy"]}[link]
    gate.open()
    recorder.wait(page, "shares")
    assert sent(recorder) == [("session1", token(1, "copy"))]


def test_a_native_dialog_with_a_short_link_opens_at_once_and_is_reported_before(
    page: Page, site: Site, recorder: Recorder
) -> None:
    """The dialog and the app that is chosen in it fetch a preview of the link, perhaps before the reader has chosen."""
    page.add_init_script(SLOW_SHEET)
    gate = Gate(page)
    opened(page, site, link="short")
    page.click("[title='Share…']")
    page.wait_for_function("() => window.sheet")
    assert page.evaluate("() => sheet.url") == f"{HOME}s/{token(1, 'native')}"
    until(page, lambda: gate.waiting)
    gate.open()
    recorder.wait(page, "shares")
    page.evaluate("() => choose()")
    page.wait_for_timeout(50)
    assert sent(recorder) == [("session1", token(1, "native"))]


def test_a_link_with_a_short_url_is_reported_within_its_click(page: Page, site: Site, recorder: Recorder) -> None:
    page.context.route("https://t.me/**", lambda route: route.fulfill(body="Telegram"))
    gate = Gate(page)
    opened(page, site, link="short")
    with page.context.expect_page() as tab:
        page.click("[title=Telegram]")
    assert token(1, "telegram") in tab.value.url
    until(page, lambda: gate.waiting)
    gate.open()
    recorder.wait(page, "shares")
    assert sent(recorder) == [("session1", token(1, "telegram"))]


def test_a_printed_short_link_is_reported_before_it_is_printed(page: Page, site: Site) -> None:
    page.add_init_script(
        "window.print = () => { window.printed = document.querySelector('grapevine-print').shadowRoot.textContent }"
    )
    gate = Gate(page)
    opened(page, site, body="<grapevine-buttons channels='print'></grapevine-buttons>", buttons="", link="short")
    until(page, lambda: page.evaluate("() => grapevine.url('print')"), lambda url: token(1, "print") in url)
    page.click("[title=Print]")
    until(page, lambda: gate.waiting)
    assert page.evaluate("() => window.printed") is None
    gate.open()
    assert page.wait_for_function("() => window.printed").json_value() == f"{HOME}s/{token(1, 'print')}"
