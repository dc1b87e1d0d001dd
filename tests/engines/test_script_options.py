"""Options of the script: where they may stand, whom the script reports to, and what it says when it has none."""

from __future__ import annotations

from typing import Final, NamedTuple

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.engines.test_forget import idle
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


LINES: Final = """<script>
window.lines = [];
for (const level of ['debug', 'log', 'info', 'warn', 'error']) {
  console[level] = (...said) => { lines.push(said.join(' ')) };
}
</script>"""
POSITION: Final = "() => document.querySelector('grapevine-buttons')?.getAttribute('position')"


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


def put(site: Site, recorder: RecorderServer, html: str) -> str:
    """Puts a page with this markup in place, beside the scripts of the other product."""
    copy = f"fetch('{recorder.home}widget.js').then(response => response.text()).then(code => (0, eval)(code))"
    site.file("/other/widget.js", "1", "text/javascript")
    site.file("/other/loader.js", copy, "text/javascript")
    html = html.replace("{{", "{").replace("}}", "}").replace("{src}", f"{recorder.home}widget.js")
    return site.page("/p", head=LINES, snippet=html.replace("{site}", SITE))


def test_options_stand_in_attributes_or_in_the_address_and_reports_go_to_the_scripts_own_server(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    for name, case in FOUND.items():
        tab.goto(site.page("/between", snippet=""))  # a page that is gone reports nothing more
        tab.run("() => sessionStorage.clear()")
        recorder.reports.clear()
        tab.goto(put(site, recorder, case.html))
        assert tab.until(POSITION) == case.position, name
        recorder.wait("visits")
        assert {report.body["site"] for report in recorder.reports} == {SITE}, name
        assert (tab.run("() => lines"), site.posted) == ([], []), name


def test_a_script_without_options_says_so_in_one_line_and_does_nothing_else(
    tab: Tab, site: Site, recorder: RecorderServer
) -> None:
    for name, html in NOT_FOUND.items():
        recorder.asked.clear()
        # A stranger's link must not give options to a script that has no address of its own.
        tab.goto(put(site, recorder, html) + f"?site={SITE}&endpoint={recorder.home}")
        tab.until("() => lines.length")
        idle(tab, 100)
        assert tab.run("() => lines") == [NO_OPTIONS], name
        assert (site.posted, recorder.reports, set(recorder.asked)) == ([], [], {"widget.js"}), name
        assert tab.run("() => [!window.grapevine, !document.querySelector('grapevine-buttons')]") == [True, True]
    assert tab.errors() == []


def test_an_attribute_that_changes_later_wins_over_the_address(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    script = f'<script id="g" async src="{recorder.home}widget.js?site={SITE}&buttons=&theme=light"></script>'
    tab.visited(site.page("/p", snippet=script))
    draw = """theme => {
      if (theme) document.querySelector('#g').dataset.theme = theme;
      const buttons = document.createElement('grapevine-buttons');
      buttons.setAttribute('channels', 'copy');
      document.body.append(buttons);
      return new Promise(done => (function look() {
        buttons.shadowRoot?.querySelector('button') ? done(buttons.style.colorScheme) : setTimeout(look, 10);
      })());
    }"""
    assert [tab.run(draw, theme) for theme in ("", "dark")] == ["light", "dark"]
