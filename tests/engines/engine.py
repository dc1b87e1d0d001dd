"""Which engines there are here: Chromium always, the others for `make test-engines`, which installs them."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from playwright.sync_api import Playwright

from tests.engines import playwrights
from tests.engines.tab import Tab
from tests.support.browsers import start_chromium

Open = Callable[[], AbstractContextManager[Tab]]
"""Opens a tab that has nothing of the one before."""

FIREFOX: Final = "firefox-esr"
DRIVER: Final = "WebKitWebDriver"
SCREEN: Final = "Xvfb"
MINI_BROWSER: Final = tuple(str(found) for found in Path("/usr/lib").glob("*/webkit2gtk-4.*/MiniBrowser"))
ALL: Final = os.environ.get("GRAPEVINE_TEST_ENGINES") == "all"


def missing(engine: str) -> list[str]:
    """What has to be installed before an engine can be tested: Debian's packages and Python's."""
    if engine == "firefox":
        return [] if shutil.which(FIREFOX) else ["firefox-esr"]
    if engine == "webkit":
        wanted = {
            "webkit2gtk-driver": shutil.which(DRIVER) and MINI_BROWSER,
            "xvfb": shutil.which(SCREEN),
            "selenium": find_spec("selenium"),
        }
        return [package for package, found in wanted.items() if not found]
    return []


def engines() -> list[str]:
    """Those that are tested: all if GRAPEVINE_TEST_ENGINES is `all`, else the one that every test of a page uses."""
    return ["chromium", "firefox", "webkit"] if ALL else ["chromium"]


@contextmanager
def started(engine: str, playwright: Playwright) -> Iterator[Open]:
    """An engine, for as long as the block lasts."""
    if wanting := missing(engine):
        raise AssertionError(f"{engine} cannot be tested without {', '.join(wanting)}: run `make test-engines` as root")
    if engine == "webkit":
        from tests.engines import webkit  # selenium need not be installed

        with webkit.start_webkit(shutil.which(DRIVER) or DRIVER, MINI_BROWSER[0]) as driver:
            yield lambda: webkit.opened(driver)
    else:
        firefox = shutil.which(FIREFOX)
        browser = (
            playwrights.start_firefox(playwright, firefox)
            if engine == "firefox" and firefox
            else start_chromium(playwright)
        )
        try:
            yield lambda: playwrights.opened(engine, browser)
        finally:
            browser.close()
