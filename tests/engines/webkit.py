"""WebKitGTK's small browser, driven by WebDriver on a virtual screen."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from selenium import webdriver
from selenium.webdriver import ActionChains
from selenium.webdriver.common.keys import Keys
from selenium.webdriver.remote.client_config import ClientConfig
from selenium.webdriver.remote.remote_connection import RemoteConnection
from selenium.webdriver.remote.webelement import WebElement
from selenium.webdriver.webkitgtk.options import Options
from selenium.webdriver.webkitgtk.service import Service

from tests.engines.tab import SECONDS, Tab

FIND = """const find = (root, css) => root.querySelector(css) ||
  [...root.querySelectorAll('*')].map(one => one.shadowRoot && find(one.shadowRoot, css)).find(found => found);
return find(document, arguments[0])"""


class WebKitTab(Tab):
    engine = "webkit"

    def __init__(self, driver: webdriver.Remote) -> None:
        self.driver = driver

    def goto(self, url: str) -> None:
        self.driver.get(url)

    def run(self, function: str, *arguments: Any) -> Any:
        return self.driver.execute_script(f"return ({function})(...arguments)", *arguments)

    def press(self, keys: str) -> None:
        *held, last = keys.split("+")
        chain = ActionChains(self.driver, duration=0)
        for key in held:
            chain.key_down(_key(key))
        chain.send_keys(_key(last))
        for key in reversed(held):
            chain.key_up(_key(key))
        chain.perform()

    def click(self, css: str) -> None:
        self.until(f"(...list) => !!(function () {{ {FIND} }}).apply(null, list)", css)
        self.driver.execute_script("arguments[0].scrollIntoView({block: 'nearest'})", self._find(css))
        # The driver's own click takes a field in a shadow root for covered by its host.
        ActionChains(self.driver, duration=0).move_to_element(self._find(css)).click().perform()

    def _find(self, css: str) -> WebElement:
        found: WebElement = self.driver.execute_script(FIND, css)
        return found

    def png(self, path: Path) -> None:
        self.driver.save_screenshot(str(path))


def _key(name: str) -> str:
    """`ArrowLeft` is ARROW_LEFT; a single character stands for itself."""
    return name if len(name) == 1 else str(getattr(Keys, name.replace("Arrow", "ARROW_").upper()))


@contextmanager
def opened(driver: webdriver.Remote) -> Iterator[Tab]:
    """A tab of the test's own, closed afterwards with all that the test opened.

    A tab that many tests share would reach the hundred entries that WebKit's history holds, and then `history.length`
    stays as it is, whatever a page does. Each test's pages have an origin of their own.
    """
    first = driver.current_window_handle
    driver.switch_to.new_window("window")
    yield WebKitTab(driver)
    for other in driver.window_handles:
        if other != first:
            driver.switch_to.window(other)
            driver.close()
    driver.switch_to.window(first)


@contextmanager
def start_webkit(driver: str, browser: str) -> Iterator[webdriver.Remote]:
    """The browser, for as long as the block lasts. `driver` and `browser` are programs."""
    options = Options()
    options.binary_location = browser
    options.add_argument("--automation")
    with _screen() as display:
        service = Service(driver, env={**os.environ, "DISPLAY": display})
        service.start()
        try:
            # A browser that cannot start would be waited for without end.
            connection = RemoteConnection(client_config=ClientConfig(service.service_url, timeout=60))
            started = webdriver.Remote(connection, options=options)
            started.set_script_timeout(SECONDS)
            started.set_page_load_timeout(2 * SECONDS)
            yield started
            started.quit()
        finally:
            service.stop()


@contextmanager
def _screen() -> Iterator[str]:
    """A screen in memory, by its name."""
    reads, writes = os.pipe()
    command = ["Xvfb", "-displayfd", str(writes), "-screen", "0", "1280x800x24", "-nolisten", "tcp"]
    with subprocess.Popen(command, pass_fds=(writes,), stderr=subprocess.DEVNULL) as server:  # noqa: S603
        os.close(writes)
        try:
            name = b""
            while not name.endswith(b"\n"):
                name += (more := os.read(reads, 16))
                assert more, "no screen"
            yield f":{name.decode().strip()}"
        finally:
            server.terminate()
            server.wait()
            os.close(reads)  # a screen whose pipe is closed sooner dies of it
