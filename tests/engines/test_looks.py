"""What the engines do for the looks: they tell the bar of a new theme, balance a row, and say when a bar overflows."""

from __future__ import annotations

from typing import Final

import pytest

from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.support.page_server import Site

SCHEME: Final = """() => {
  const bar = document.querySelector('grapevine-buttons')?.shadowRoot?.querySelector('[part=bar]');
  return bar && (getComputedStyle(bar).backgroundColor == 'rgb(255, 255, 255)' ? 'light' : 'dark');
}"""
TOGGLES: Final = {
    "a class": ("html.dark body{background:#111;color:#eee}", "document.documentElement.className = 'dark'"),
    "a sheet that is switched on": ("", "document.querySelector('#night').media = 'all'"),
    "slowly": ("body{transition:background .3s}body.dark{background:#111}", "document.body.className = 'dark'"),
    "the text alone": (":root.dark{background:#111;color:#fff}", "document.documentElement.className = 'dark'"),
}
ROWS: Final = """async widths => {
  const main = document.querySelector('main');
  const found = [];
  for (const width of widths) {
    main.style.width = width + 'px';
    const rows = {};
    for (const button of main.firstElementChild.shadowRoot.querySelectorAll('[part=button]')) {
      const {top} = button.getBoundingClientRect();
      rows[top] = (rows[top] || 0) + 1;
    }
    found.push(Object.values(rows));
  }
  return found;
}"""
MORE: Final = "document.querySelector('grapevine-buttons').shadowRoot.querySelector('[part=more]')"
MENU: Final = "document.querySelector('grapevine-buttons').shadowRoot.querySelector('[part=menu]')"


@pytest.mark.parametrize("toggle", TOGGLES)
def test_the_bar_follows_when_the_page_changes_its_theme(
    tab: Tab, site: Site, recorder: RecorderServer, toggle: str
) -> None:
    css, change = TOGGLES[toggle]
    head = (
        f"<style>body{{background:#fff}}{css}</style><style id='night' media='not all'>body{{background:#111}}</style>"
    )
    if toggle == "the text alone":
        head = f"<style>{css}</style>"
    tab.visited(site.page("/", head=head, snippet=recorder.snippet()))
    assert tab.until(SCHEME) == "light"
    tab.run(f"() => {{ {change} }}")
    tab.until(f"() => ({SCHEME})() == 'dark'")
    assert tab.errors() == []


def test_a_row_that_wraps_leaves_no_button_alone(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    row = "<grapevine-buttons channels='copy whatsapp telegram email x facebook linkedin'></grapevine-buttons>"
    tab.visited(site.page("/", f"<main>{row}</main>", snippet=recorder.snippet(position="inline")))
    tab.until("() => document.querySelector('grapevine-buttons').shadowRoot?.querySelectorAll('[part=button]').length")
    found = tab.run(ROWS, list(range(110, 400, 10)))
    assert [rows for rows in found if sum(rows) != 7 or rows[-1] == 1] == []
    assert len({len(rows) for rows in found}) > 2


def test_what_does_not_fit_is_in_a_menu(tab: Tab, site: Site, recorder: RecorderServer) -> None:
    large = "<style>grapevine-buttons{--grapevine-size:200px}</style>"
    tab.visited(site.page("/", head=large, snippet=recorder.snippet(buttons="copy whatsapp email x sms mastodon qr")))
    tab.until(f"() => {MENU}?.querySelector('[data-channel=qr]') && getComputedStyle({MORE}).visibility == 'visible'")
    tab.run(f"() => {MORE}.focus()")
    tab.press("Enter")
    tab.until(f"() => {MORE}.ariaExpanded == 'true' && getComputedStyle({MENU}).visibility == 'visible'")
    tab.press("Tab")
    assert tab.run("() => !!document.activeElement.shadowRoot.activeElement.closest('[part=menu]')")
    tab.press("Escape")
    tab.until(f"() => {MORE}.ariaExpanded == 'false' && getComputedStyle({MENU}).visibility == 'hidden'")
    assert tab.run("() => document.activeElement.shadowRoot.activeElement.getAttribute('part')") == "more"
    assert tab.errors() == []
