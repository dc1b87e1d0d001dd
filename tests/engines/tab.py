"""The interface of one browser tab, the same for every engine."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from pathlib import Path
from typing import Any, Final

from tests.support.browsers import PASTE, SELECT, no_error_yet

SECONDS: Final = 30
LEFT: Final = "Execution context was destroyed"
"""Playwright's words for a page that was left while a function ran."""
TROUBLES: Final = "() => window[Symbol.for('troubles')]"
PASTED: Final = f"() => {{ window.pasted = null; ({PASTE})().then(found => {{ window.pasted = found }}) }}"


class Tab(ABC):
    """`engine` is its name: chromium, firefox or webkit."""

    engine: str

    @abstractmethod
    def goto(self, url: str) -> None:
        """Opens a page and waits for its `load`."""

    @abstractmethod
    def run(self, function: str, *arguments: Any) -> Any:
        """Calls a JavaScript function in the page; returns its result, awaited where it is a promise."""

    @abstractmethod
    def press(self, keys: str) -> None:
        """Presses a key, or several at once: `Tab`, `Enter`, `a`, `Control+c`, `Shift+ArrowRight`."""

    @abstractmethod
    def click(self, css: str) -> None:
        """Clicks the first element that matches, in open shadow roots too."""

    @abstractmethod
    def png(self, path: Path) -> None:
        """Takes a picture of what is seen."""

    @property
    def url(self) -> str:
        """The address in the address bar."""
        return str(self.run("() => location.href"))

    def until(self, function: str, *arguments: Any, seconds: float = SECONDS) -> Any:
        """Waits until the function returns something true, and returns that.

        An error counts as false, because what the function looks into may not be there yet; the last one is raised.
        """
        end, guarded = time.monotonic() + seconds, no_error_yet(function)
        while time.monotonic() < end:
            try:
                if found := self.run(guarded, *arguments):
                    return found
            except Exception as error:
                if LEFT not in str(error):
                    raise
            time.sleep(0.02)
        raise AssertionError(f"never true: {function}, which returns {self.run(function, *arguments)!r}")

    def visited(self, url: str) -> str:
        """Opens a page and waits until its widget knows its visit, which it returns."""
        self.goto(url)
        return str(self.until("() => window.grapevine?.visit"))

    def errors(self) -> list[str]:
        """Uncaught errors and rejections of the page since it began."""
        return list(self.run(TROUBLES) or [])

    def select(self, css: str) -> None:
        """Selects the content of an element, as a reader would with the mouse."""
        self.run(SELECT, css)

    def copy(self, css: str | None = None) -> dict[str, str]:
        """Copies with the keyboard (what `css` holds, else what is selected): the clipboard by MIME type."""
        if css:
            self.select(css)
        self.press("Control+c")
        return self.clipboard()

    def clipboard(self) -> dict[str, str]:
        """The clipboard as a paste into this page is given it."""
        self.run(PASTED)
        self.press("Control+v")
        return dict(self.until("() => window.pasted"))
