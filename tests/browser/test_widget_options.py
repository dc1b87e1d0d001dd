"""Options of the script: where they may stand, whom the script reports to, and what it says when it has none."""

from __future__ import annotations

from typing import Any, Final, NamedTuple

import pytest
from playwright.sync_api import Page

from tests.browser.fake_collect_api import HOME, Recorder, until
from tests.support.fake_server import SITE
from tests.support.page_server import Site

FOREIGN: Final = '<script async src="/other/widget.js" data-site="ABCDEFG" data-position="right"></script>'
"""Another product's script of the same name, with an attribute of the same name."""

COPIED: Final = """<script>
  fetch('{src}').then(response => response.text()).then(code => {
    const script = document.createElement('script');
    script.src = URL.createObjectURL(new Blob([code], {type: 'text/javascript'}));
    Object.assign(script.dataset, {DATA});
    document.head.append(script);
  });
</script>"""
"""An optimiser that runs a copy of the script from an address of its own."""

NO_OPTIONS: Final = 'grapevine counts nothing without data-site="KEY" or ?site=KEY in its address'


class Embedded(NamedTuple):
    html: str
    position: str = "left"
    """Where the bar is, which shows that options were read."""


FOUND: Final = {
    "in the address": Embedded('<script async src="{src}?site={site}&amp;position=bottom"></script>', "bottom"),
    "in the address, by a tag manager": Embedded(
        "<script>const s = document.createElement('script'); s.async = true;"
        "s.src = '{src}?position=right&site={site}&ver=6.8.1#top'; document.head.append(s); s.remove()</script>",
        "right",
    ),
    "the attribute wins": Embedded(
        '<script async src="{src}?site=none&position=right" data-site="{site}" data-position="bottom"></script>',
        "bottom",
    ),
    "each where it stands": Embedded(
        '<script defer src="{src}?ver=3&position=right" data-site="{site}"></script>', "right"
    ),
    "a module beside another product's script": Embedded(
        FOREIGN + '<script type="module" src="{src}" data-site="{site}"></script>'
    ),
    "a module with its options in the address, behind another product's module": Embedded(
        FOREIGN.replace("async", "type=module")
        + '<script type="module" src="{src}?site={site}&position=right"></script>',
        "right",
    ),
    "a classic script behind another product's": Embedded(
        FOREIGN + '<script src="{src}" data-site="{site}"></script>' + FOREIGN
    ),
}

NOT_FOUND: Final = {
    "a tag manager drops the attributes": "<script>const s = document.createElement('script');"
    "s.src = '{src}'; document.head.append(s)</script>",
    "an empty key": '<script async src="{src}?site=" data-site></script>',
    "a copy": COPIED.replace("{DATA}", "{{site: '{site}'}}"),
    "a copy inside the page": "<script>fetch('{src}').then(response => response.text()).then(code => {{"
    "const s = document.createElement('script'); s.text = code; document.head.append(s) }})</script>",
    "evaluated, beside another product's script": '<script src="/other/loader.js"></script>' + FOREIGN,
    "a module without its element": '<script type="module">import "{src}"</script>' + FOREIGN,
}


def written(html: str) -> str:
    """Returns the markup with the script's address, its site and its server."""
    html = html.replace("{{", "{").replace("}}", "}")
    return html.replace("{src}", HOME + "widget.js").replace("{site}", SITE).replace("{home}", HOME)


@pytest.fixture
def posts(page: Page, site: Site) -> list[str]:
    """The addresses of all reports that leave the page, wherever they go."""
    site.file("/other/widget.js", "1", "text/javascript")
    site.file(
        "/other/loader.js",
        f"fetch('{HOME}widget.js').then(response => response.text()).then(code => (0, eval)(code))",
        "text/javascript",
    )
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if request.method == "POST" else None)
    return sent


def bar_position(page: Page) -> Any:
    return page.evaluate("() => document.querySelector('grapevine-buttons')?.getAttribute('position')")


def test_options_stand_in_attributes_or_in_the_address_and_reports_go_to_the_scripts_own_server(
    page: Page, site: Site, recorder: Recorder, posts: list[str]
) -> None:
    for name, case in FOUND.items():
        recorder.reports.clear()
        posts.clear()
        page.goto(site.page("/p", snippet=written(case.html)))
        until(page, lambda: bar_position(page) and recorder.reports)
        assert bar_position(page) == case.position, name
        assert {report.body["site"] for report in recorder.reports} == {SITE}, name
        assert {post.partition("v1/")[0] for post in posts} == {HOME}, name


def test_a_script_without_options_says_so_in_one_line_and_does_nothing_else(
    page: Page, site: Site, recorder: Recorder, posts: list[str]
) -> None:
    lines: list[str] = []
    page.on("console", lambda message: lines.append(message.text))
    for name, html in NOT_FOUND.items():
        lines.clear()
        recorder.asked.clear()
        # A stranger's link must not give options to a script that has no address of its own.
        page.goto(site.page("/p", snippet=written(html)) + f"?site={SITE}&endpoint={HOME}")
        until(page, lambda: lines)
        page.wait_for_timeout(100)
        assert lines == [NO_OPTIONS], name
        assert (posts, set(recorder.asked)) == ([], {"widget.js"}), name
        assert page.evaluate("() => [window.grapevine, document.querySelector('grapevine-buttons')]") == [None, None]


def test_an_attribute_that_changes_later_wins_over_the_address(page: Page, site: Site) -> None:
    script = f'<script id="g" async src="{HOME}widget.js?site={SITE}&buttons=&theme=light"></script>'
    page.goto(site.page("/p", snippet=script))
    page.wait_for_function("() => window.grapevine")
    draw = """theme => {
      if (theme) document.querySelector('#g').dataset.theme = theme;
      const buttons = document.createElement('grapevine-buttons');
      buttons.setAttribute('channels', 'copy');
      document.body.append(buttons);
      return new Promise(done => (function look() {
        buttons.shadowRoot?.querySelector('button') ? done(buttons.style.colorScheme) : setTimeout(look, 10);
      })());
    }"""
    assert [page.evaluate(draw, theme) for theme in ("", "dark")] == ["light", "dark"]
