"""Chromium for the browser tests: its flags, its agent string, and reading its clipboard."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from playwright.sync_api import Browser, Page, Playwright

CHROMIUM: Final = "/usr/bin/chromium"
"""The whole browser, for what its headless shell lacks: prerendering, and Lighthouse."""

HEADLESS_SHELL: Final = "/usr/bin/chromium-headless-shell"
"""The same engine without the browser's own windows: a new page takes it a third of the time."""
DESK: Final = "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36"
"""Headless Chromium says that a program drives it, and the server would believe it."""

FLAGS: Final = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1, EXCLUDE localhost, EXCLUDE *.localhost",
    f"--user-agent={DESK}",  # a tab that a page opens may ask for something before its context's agent is set
)


def no_error_yet(function: str) -> str:
    """Returns the JavaScript function as one that returns false where it throws: part of the page is missing yet."""
    return f"async (...list) => {{ try {{ return await ({function})(...list) }} catch {{ return false }} }}"


SELECT = """css => {
  document.activeElement?.blur();
  const range = document.createRange();
  range.selectNodeContents(document.querySelector(css));
  getSelection().removeAllRanges();
  getSelection().addRange(range);
}"""

# The paste event shows both flavours, needs no permission and is not sanitised.
PASTE = """() => new Promise(done => {
  const field = document.body.appendChild(document.createElement('textarea'));
  field.focus({preventScroll: true});
  addEventListener('paste', event => {
    event.preventDefault();
    event.stopImmediatePropagation();
    field.remove();
    done(Object.fromEntries([...event.clipboardData.types].map(type => [type, event.clipboardData.getData(type)])));
  }, {capture: true, once: true});
  window.pasteReady = true;
})"""


def start_chromium(playwright: Playwright) -> Browser:
    path = HEADLESS_SHELL if Path(HEADLESS_SHELL).exists() else CHROMIUM
    return playwright.chromium.launch(executable_path=path, args=list(FLAGS))


def select(page: Page, css: str) -> None:
    """Selects the content of an element, as a reader would with the mouse."""
    page.evaluate(SELECT, css)


def copy(page: Page, css: str | None = None) -> dict[str, str]:
    """Copies with the keyboard (what `css` holds, else what is selected) and returns the clipboard by MIME type."""
    if css:
        select(page, css)
    page.keyboard.press("Control+c")
    return clipboard(page)


def clipboard(page: Page) -> dict[str, str]:
    """The clipboard as a paste into this page is given it."""
    page.evaluate("pasted => { window.pasted = null }")
    page.evaluate(f"() => {{ ({PASTE})().then(found => {{ window.pasted = found }}) }}")
    page.keyboard.press("Control+v")
    return dict(page.wait_for_function("() => window.pasted").json_value())
