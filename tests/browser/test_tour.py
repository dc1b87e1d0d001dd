"""`grapevine demo --tour` and a person who does what it says, in real browsers."""

from __future__ import annotations

import re
import signal
import subprocess
import sys
from collections.abc import Callable
from queue import Queue
from subprocess import PIPE
from threading import Thread
from urllib.parse import urlsplit

from playwright.sync_api import Browser, Page, expect

from tests.support.browsers import DESK

SECONDS = 60


class Terminal:
    """What the demo prints, line by line."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        self._lines: Queue[str] = Queue()
        assert process.stdout is not None
        Thread(target=self._read, args=(process.stdout.readline,), daemon=True).start()

    def until(self, beginning: str) -> str:
        """The next line that begins so."""
        while True:
            line = self._lines.get(timeout=SECONDS)
            assert line, f"it ended before it said {beginning!r}"
            if line.startswith(beginning):
                return line.rstrip("\n")

    def _read(self, readline: Callable[[], str]) -> None:
        while line := readline():
            self._lines.put(line)
        self._lines.put("")


def copied(page: Page) -> str:
    """The link that the button puts into the clipboard."""
    page.get_by_role("button", name="Copy link").first.click()
    page.wait_for_function("() => navigator.clipboard.readText().then(text => text.includes('#gv-'))")
    return str(page.evaluate("navigator.clipboard.readText()"))


def test_a_newcomer_is_led_to_a_chain_of_three(browser: Browser) -> None:
    command = [sys.executable, "-m", "grapevine", "demo", "--tour", "--history", "0", "--port", "0", "--site-port", "0"]
    with subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True, encoding="utf-8") as process:  # noqa: S603
        try:
            _follow(browser, Terminal(process))
        finally:
            process.send_signal(signal.SIGINT)
        assert process.wait(SECONDS) == 0


def _follow(browser: Browser, terminal: Terminal) -> None:
    def person(user_agent: str = DESK) -> Page:
        context = browser.new_context(user_agent=user_agent, permissions=["clipboard-read", "clipboard-write"])
        context.set_default_timeout(SECONDS * 1_000)
        return context.new_page()

    step = terminal.until("Step 1 of 5.")
    home = re.findall(r"http://\S+", step)[0]
    person("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 HeadlessChrome/141.0.0.0 Safari/537.36").goto(home)
    terminal.until("Seen: a browser that a program controls opened /.")

    first = person()
    first.goto(home)
    terminal.until("Seen: a visit to /, the first of a chain.")
    terminal.until("Step 2 of 5.")
    link = copied(first)
    terminal.until("Seen: the link of / was copied (channel: copy).")
    terminal.until("Step 3 of 5.")

    first.context.new_page().goto(link)
    terminal.until("Seen: that was the same browser")
    person().goto(link.partition("#")[0])
    terminal.until("Seen: a visit to /, but its link has lost its end")

    friend = person()
    friend.goto(link)
    terminal.until("Seen: a visit to / through a shared link (channel: copy, depth: 1).")
    terminal.until("Step 4 of 5.")
    second_link = copied(friend)
    terminal.until("Step 5 of 5.")
    first.context.new_page().goto(second_link)
    terminal.until("Seen: a visit to / through a shared link (channel: copy, depth: 2).")

    assert terminal.until("3 visits").startswith("3 visits, depth 2, breadth 1")
    drawn = [terminal.until(beginning) for beginning in ("direct", "└── copy", "    └── copy")]
    assert [re.findall(r"depth \d", line) for line in drawn] == [["depth 0"], ["depth 1"], ["depth 2"]]
    address = terminal.until("The same on the dashboard: ").rpartition(" ")[2]
    owner = person()
    owner.goto(address)
    expect(owner.get_by_role("heading", name="Who led to whom")).to_be_visible()
    assert re.fullmatch(r"/cascades/\w{11}", urlsplit(owner.url).path)
    assert owner.evaluate("[document.referrer, history.length]") == ["", 2]  # about:blank is the first entry
