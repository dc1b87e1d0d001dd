"""What docs/embedding.md tells to paste is pasted: behind a security policy, and as consent banners treat it."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Final

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.engines.test_forget import idle
from tests.support.fake_server import SITE
from tests.support.page_server import Site

GUIDE: Final = (Path(__file__).resolve().parents[2] / "docs/embedding.md").read_text("utf-8")
BUTTON: Final = "() => document.querySelector('grapevine-buttons')?.shadowRoot?.querySelector('[part=button]')"
VISIT: Final = "() => window.grapevine?.visit"
RELEASE: Final = """() => {
  const held = document.querySelector('script[type="text/plain"], script[data-cookieyes]');
  const script = document.createElement('script');
  script.src = held.src || held.dataset.src;
  held.replaceWith(script);
}"""
"""As the strictest banner: a new script, which has nothing of the old one but its address."""


def section(title: str) -> str:
    return GUIDE.partition(f"# {title}\n")[2].partition("\n#")[0]


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```", text, re.MULTILINE | re.DOTALL)


def filled_in(text: str, recorder: RecorderServer) -> str:
    """The text for this test's server and site."""
    address = text.replace("https://share.example.com/widget.js", f"{recorder.home}widget.js")
    return address.replace("https://share.example.com", recorder.home[: recorder.home.index("/", 8)]).replace(
        "SITE_KEY", SITE
    )


def test_the_policy_lets_the_widget_count_and_draw(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    text = section("Content Security Policy")
    (header,) = blocks(text, "http")
    (line,) = blocks(text, "html")
    name, _, policy = filled_in(header, recorder).strip().partition(": ")
    strict = "default-src 'none'; " + policy
    nonce = strict.replace("'self'", "'nonce-YOUR_NONCE' 'strict-dynamic'", 1)
    plain = filled_in(blocks(section("Two forms of the line"), "html")[0], recorder)
    for number, (csp, snippet) in enumerate([(strict, plain), (nonce, filled_in(line, recorder))], 1):
        site.first = ""  # an inline script, or one of another server
        tab.goto(site.page("/p", snippet=snippet, headers={name: csp}))
        tab.until(BUTTON)
        tab.until(VISIT)
        recorder.wait("visits", 1)
        tab.run("() => sessionStorage.clear()")
        assert number == len([path for path in recorder.paths if path.endswith("visits")])


def test_every_line_of_a_consent_banner_counts_when_the_banner_lets_it_run(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    lines = re.findall(r"`(<script [^`]+)`", section("The banner holds the script back"))
    assert len(lines) == 6
    for line in lines:
        tab.goto(site.page("/between", snippet=""))  # a page that is gone asks for nothing more
        recorder.asked.clear()
        recorder.reports.clear()
        # CookieYes leaves the type as it is and takes the script away itself, before it can run.
        held = filled_in(unescape(line), recorder).replace("<script data-cookieyes", '<script type="text/plain" data-c')
        tab.goto(site.page("/p", snippet=held))
        idle(tab, 50)
        assert recorder.asked == [], line
        tab.run(RELEASE)
        tab.until(VISIT)
        tab.until(BUTTON)
        assert [report.body["site"] for report in recorder.reports] == [SITE], line
        tab.run("() => sessionStorage.clear()")  # else the next line would go on with this visit


def test_the_call_for_consent_works_before_and_after_the_script(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    snippet, call = (filled_in(block, recorder) for block in blocks(section("The widget waits (better)"), "html"))
    before = site.page("/before", head=call, snippet=snippet)
    after = site.page("/after", snippet=snippet)
    tab.goto(before)
    tab.until(VISIT)
    tab.run("() => sessionStorage.clear()")
    recorder.reports.clear()
    tab.goto(after)
    tab.until(BUTTON)
    assert recorder.reports == []
    tab.run(f"() => {{ {call.replace('<script>', '').replace('</script>', '')} }}")
    tab.until(VISIT)
    assert len(recorder.of("visits")) == 1
