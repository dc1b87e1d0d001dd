"""Opens an odd page with the widget and without it, does the same on both, and says what each page saw."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlsplit

from tests.engines.hostile import ALL, NOTHING, Odd
from tests.engines.server import RecorderServer
from tests.engines.tab import Tab
from tests.support.page_server import PageResponse, Site, serve_site

PROBE: Final = Path(__file__).with_name("hostile_probe.js").read_text()
TOKENS: Final = re.compile(r"[#?&]gv=[0-9A-Za-z]{23}")
SECONDS: Final = 30
QUIET: Final = 0.3
"""Seconds without a report, after which there will be none."""


class PageObservation(NamedTuple):
    record: dict[str, Any]
    """What the page saw; origins and tokens are taken out, so that two can be compared."""
    copied: str
    """What its clipboard held, as it was."""
    bar: bool


def put(site: Site, odd: Odd, recorder: RecorderServer, *, widget: bool) -> str:
    """Puts a page onto a site, with the widget or without, and returns its URL."""
    texts = odd.texts(
        tag=recorder.snippet(**odd.attributes) if widget else "",
        src=recorder.home + "widget.js" if widget else "",
        home=recorder.home,
        other=recorder.home,
    )
    for path, (text, kind) in texts.items():
        headers = {**odd.headers, "Content-Type": kind, "Cache-Control": "no-store"}
        headers = {name: value.replace("{origin}", _origin(recorder.home)) for name, value in headers.items()}
        site.answers[path] = PageResponse(text.encode(), headers)
    site.file("/probe.js", PROBE, "text/javascript")
    site.file("/data.json", '{"page": "own"}', "application/json")
    site.file("/favicon.ico", b"", "image/x-icon")
    return f"{site.origin}/{odd.query}"


def play(tab: Tab, odd: Odd, recorder: RecorderServer, *, widget: bool) -> PageObservation:
    """Opens the page and does with it what a reader does, each step when the one before has come about."""
    if odd.server:
        odd.server(recorder)
    with serve_site() as site:
        tab.goto(put(site, odd, recorder, widget=widget))
        does = odd.does - odd.may if widget else NOTHING
        if "visit" in does and odd.known:
            tab.until("() => probe.ready", seconds=SECONDS)
        if "bar" in does:
            tab.until("() => probe.bar()", seconds=SECONDS)
        if tab.run("() => !!document.querySelector('#button')"):
            tab.click("#button")
        tab.run("() => { probe.act() }")
        tab.until("() => probe.state == 'acted'")
        if "view" in does:
            recorder.wait("views")
        if tab.run("() => probe.pick()"):
            tab.press("Control+c")
            tab.until("() => probe.state == 'copied'")
            tab.press("Control+v")
            tab.until("() => probe.state == 'pasted'")
        if "copy" in does:
            recorder.wait("shares")
        tab.run("() => { probe.end() }")
        tab.until("() => probe.state == 'over'")
        if widget and does < ALL:
            time.sleep(QUIET)
        bar = tab.run("() => probe.bar()")
        record = json.loads(tab.run("() => probe.text()"))
        copied = str(record.get("clipboard"))
        if widget and odd.button:
            tab.click("[data-channel=copy]")
            recorder.wait("shares", 2)
        text = json.dumps(record).replace(site.origin, "SITE").replace(_origin(site.origin).partition("//")[2], "SITE")
        return PageObservation(json.loads(TOKENS.sub("", text)), copied, bar)


def compare(tab: Tab, odd: Odd, recorder: RecorderServer) -> None:
    """The page saw the same with the widget as without it, and the widget did what it was to do and no more."""
    without = play(tab, odd, recorder, widget=False)
    assert recorder.paths == []
    seen = play(tab, odd, recorder, widget=True)
    for name, before in without.record.items():
        after = seen.record[name]
        assert name in odd.but or after == before, f"{name} without the widget: {before}; with it: {after}"
    visits = len({visit["nonce"] for visit in recorder.of("visits")})
    did = {
        "visit": visits,
        "bar": int(seen.bar),
        "view": min(len(recorder.of("views")), 1),
        "copy": len(recorder.of("shares")),
        "tagged": int("gv=" in seen.copied),
    }
    wanted = {name: int(name in odd.does) for name in ("visit", "bar", "view", "copy")}
    wanted |= {"copy": wanted["copy"] * (1 + odd.button), "tagged": wanted["copy"]}
    did, wanted = ({name: one[name] for name in one if name not in odd.may} for one in (did, wanted))
    assert did == wanted, f"the widget did {did}, and was to do {wanted}"
    assert "gv=" not in without.copied


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
