"""A good guest: strict policies, no layout shift, no long task, few bytes."""

from __future__ import annotations

import pytest
from playwright.sync_api import Page

from tests.browser.conftest import Visitor, snippet
from tests.browser.fake_collect_api import Recorder, token
from tests.support.browsers import clipboard, copy, select
from tests.support.page_server import Site

LONG_TASK = 0.05
STRICT = (
    "default-src 'none'; script-src http://share.localhost; connect-src http://share.localhost; img-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'; base-uri 'none'; form-action 'none'"
)
LONG = "<p>" + "Most of what people pass on never touches a public feed. " * 40 + "</p>"


def test_it_works_under_the_strictest_policy(page: Page, site: Site) -> None:
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    body = f'<p id="x">See {site.origin}/b and <a href="/a">this</a></p>'
    site.page("/p", body, headers={"Content-Security-Policy": STRICT})
    site.file("/favicon.ico", b"", "image/x-icon")
    page.goto(site.origin + "/p")
    page.wait_for_function("() => window.grapevine?.visit")
    bar = page.locator("[part=bar]").evaluate("bar => [getComputedStyle(bar).display, bar.offsetWidth]")
    assert bar == ["flex", 48]
    copied = copy(page, "#x")
    assert copied["text/plain"] == f"See {site.origin}/b#gv={token(1, 'copy')} and this"
    assert f"{site.origin}/a#gv={token(1, 'copy')}" in copied["text/html"]
    page.click("[title='Copy link']")
    page.wait_for_function(
        "() => document.querySelector('grapevine-buttons').shadowRoot.querySelector('p')?.textContent"
    )
    assert clipboard(page)["text/plain"].startswith(f"{site.origin}/p#gv=")
    assert complaints == []


@pytest.mark.parametrize(("width", "options"), [(390, {}), (1280, {}), (390, {"look": "labels", "counts": "on"})])
def test_nothing_shifts(visitor: Visitor, site: Site, recorder: Recorder, width: int, options: dict[str, str]) -> None:
    context = visitor(viewport={"width": width, "height": 800})
    recorder.attach(context)
    page = context.new_page()
    page.add_init_script("""
      window.shifts = [];
      new PerformanceObserver(list => shifts.push(...list.getEntries().map(entry => entry.value)))
        .observe({type: 'layout-shift', buffered: true});
    """)
    reserved = "<style>grapevine-buttons{display:block;min-height:44px}</style><grapevine-buttons></grapevine-buttons>"
    if options:  # their rows need more room than the plain one
        reserved = reserved.replace("44px", "200px")
    text = f'<div id="x">{LONG * 20}<a href="/a">this</a> {site.origin}/b</div>'
    site.page("/p", reserved + text, snippet=snippet(**options))
    page.goto(site.origin + "/p")
    page.wait_for_function("() => window.grapevine?.visit")
    if options:  # the last of the parts: the menu of what does not fit
        page.wait_for_selector("[part=more]")
    assert token(1, "copy") in copy(page, "#x")["text/plain"]
    page.evaluate("() => new Promise(done => requestAnimationFrame(() => setTimeout(done, 300)))")
    assert page.evaluate("() => shifts") == []


def test_nothing_takes_long(page: Page, site: Site) -> None:
    devtools = page.context.new_cdp_session(page)
    devtools.send("Performance.enable", {"timeDomain": "threadTicks"})

    def scripts() -> float:
        """Processor time that the page's scripts have taken, in seconds: busy neighbours do not count."""
        metrics = devtools.send("Performance.getMetrics")["metrics"]
        return float(next(metric["value"] for metric in metrics if metric["name"] == "ScriptDuration"))

    paragraph = (
        '<p>A <b>longer</b> <i>text</i> with <a href="/a">an own</a> and <a href="//e.org">a foreign</a> link.</p>'
    )
    site.page("/p", f'<div id="x">{paragraph * 200}<p>{site.origin}/b</p></div>')
    before = scripts()
    page.goto(site.origin + "/p")
    page.wait_for_function("() => window.grapevine?.visit")
    loaded = scripts()
    select(page, "#x")
    page.keyboard.press("Control+c")
    copied = scripts()
    assert loaded - before < LONG_TASK
    assert 0 < copied - loaded < LONG_TASK


def test_the_page_sees_one_new_global_and_no_new_cookie(page: Page, site: Site) -> None:
    site.page("/bare", snippet="")
    site.page("/p")
    page.goto(site.origin + "/bare")
    before = set(page.evaluate("() => Object.keys(window)"))
    page.goto(site.origin + "/p")
    page.wait_for_function("() => window.grapevine?.visit")
    assert set(page.evaluate("() => Object.keys(window)")) - before == {"grapevine"}
    assert page.context.cookies() == []
