"""Chromium without Playwright, which switches off prerendering and the back-forward cache.

Speaks the DevTools protocol through the browser's own pipe, and attaches to tabs instead of pages, as prerendering
requires: https://chromedevtools.github.io/devtools-protocol/
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from select import select
from subprocess import DEVNULL
from tempfile import TemporaryDirectory
from typing import Any

from tests.support.browsers import CHROMIUM, FLAGS

SECONDS = 30
START = """
import fcntl, os, sys
# The browser reads commands from descriptor 3 and answers on 4.
pipes = [fcntl.fcntl(int(pipe), fcntl.F_DUPFD, 10) for pipe in sys.argv[1:3]]
os.dup2(pipes[0], 3)
os.dup2(pipes[1], 4)
os.execv(sys.argv[3], sys.argv[3:])
"""


class Bare:
    """One tab of a browser."""

    def __init__(self, reads: int, writes: int) -> None:
        self._reads = reads
        self._writes = writes
        self._number = 0
        self._buffer = b""
        self._pages: dict[str, bool] = {}
        tabs = self._send("Target.getTargets", filter=[{"type": "tab"}])["targetInfos"]
        session = self._send("Target.attachToTarget", targetId=tabs[0]["targetId"], flatten=True)["sessionId"]
        self._send("Target.setAutoAttach", session, autoAttach=True, waitForDebuggerOnStart=False, flatten=True)

    def open(self, url: str) -> None:
        """Goes there as a link would; not yet there when this returns."""
        self.run(f"void (location.href = {json.dumps(url)})")

    def run(self, script: str, *, prerendered: bool = False) -> Any:
        """Runs a script in the page that is seen, or in the one that is being prerendered. None if there is no page."""
        sessions = [session for session, ahead in self._pages.items() if ahead == prerendered]
        if not sessions:
            self._send("Target.getTargets")
            return None
        options = {"expression": script, "returnByValue": True}
        found = self._send("Runtime.evaluate", sessions[-1], **options)
        return found.get("result", {}).get("value")

    def wait(self, script: str, *, prerendered: bool = False) -> Any:
        """Waits until the script is true and returns its value."""
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            if found := self.run(script, prerendered=prerendered):
                return found
            time.sleep(0.02)
        raise AssertionError(f"never true: {script}")

    def close(self) -> None:
        self._send("Browser.close")

    def _send(self, method: str, session: str | None = None, **parameters: Any) -> dict[str, Any]:
        """One command. Its result is empty if the page was left meanwhile."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        os.write(self._writes, json.dumps(message | ({"sessionId": session} if session else {})).encode() + b"\0")
        while True:
            answer = self._receive()
            if answer.get("id") == self._number:
                return dict(answer.get("result", {}))
            event, found = answer.get("method"), answer.get("params", {})
            self._note(event, found)
            if event == "Target.detachedFromTarget" and found["sessionId"] == session:
                return {}

    def _receive(self) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            assert select([self._reads], [], [], SECONDS)[0], "the browser does not answer"
            more = os.read(self._reads, 65_536)
            assert more, "the browser is gone"
            self._buffer += more
        message, _, self._buffer = self._buffer.partition(b"\0")
        return dict(json.loads(message))

    def _note(self, event: str | None, found: dict[str, Any]) -> None:
        """Keeps the list of pages: the one that is seen, and those ahead of it."""
        if event == "Target.attachedToTarget" and found["targetInfo"]["type"] == "page":
            self._pages[found["sessionId"]] = found["targetInfo"].get("subtype") == "prerender"
        elif event == "Target.detachedFromTarget" and not self._pages.pop(found["sessionId"], True):
            self._pages = dict.fromkeys(self._pages, False)  # the page seen has given way to the one ahead


@contextmanager
def bare_chromium() -> Iterator[Bare]:
    """A browser with a fresh profile, for as long as the block lasts."""
    reads, answers = os.pipe()
    commands, writes = os.pipe()
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        flags = ("--headless=new", "--remote-debugging-pipe", f"--user-data-dir={Path(folder, 'profile')}")
        starter = [sys.executable, "-c", START, str(commands), str(answers)]
        command = [*starter, CHROMIUM, *flags, *FLAGS, "about:blank"]
        pipes = (commands, answers)
        with subprocess.Popen(command, pass_fds=pipes, stdout=DEVNULL, stderr=DEVNULL) as process:  # noqa: S603
            os.close(commands)
            os.close(answers)
            try:
                browser = Bare(reads, writes)
                yield browser
                browser.close()
                process.wait(SECONDS)
            finally:
                process.kill()
                os.close(writes)
                os.close(reads)
