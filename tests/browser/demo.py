"""`grapevine demo` as a process of its own, and readers with real browsers."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import count
from subprocess import PIPE
from typing import Any

import httpx
import pytest
from playwright.sync_api import Browser, BrowserContext, ConsoleMessage, Page, Request, Response

from tests.browser.fake_collect_api import until
from tests.support.browsers import DESK

ARRIVED = "() => window.grapevine?.visit"
SECONDS = 60


class Demo:
    """A running demo: its addresses as `--json` names them, and what its API says."""

    def __init__(self, facts: dict[str, str]) -> None:
        self.server = facts["server"]
        self.origin = facts["site_url"]
        self.site = facts["site"]
        self.key = facts["key"]
        self.database = facts["database"]
        self._cases = count(1)
        headers = {"Authorization": f"Bearer {self.key}"}
        self.client = httpx.Client(base_url=self.server, headers=headers, trust_env=False, timeout=SECONDS)

    def page(self, path: str) -> str:
        """A page that no other test opens, so that its numbers are this test's own."""
        return f"{self.origin}{path}?case={next(self._cases)}"

    def get(self, path: str, **parameters: str) -> Any:
        response = self.client.get(path, params=parameters)
        assert response.status_code == 200, response.text
        return response.json()

    def numbers(self, page: str, *names: str) -> list[int]:
        """Numbers of the visits that began on that page, from the summary."""
        summary = self.get("/v1/stats/summary", page=page)
        return [summary[name] for name in names]

    def share(self, token: str) -> dict[str, Any]:
        """Returns the response of the token-resolution API."""
        return dict(self.get(f"/v1/tokens/{token}")["share"])

    def run(self, *arguments: str) -> str:
        """Runs a command on the demo's database, which has nothing to complain of; returns its output."""
        output, complaints = self._run(*arguments)
        assert complaints == ""
        return output

    def add_site(self, name: str, origin: str) -> str:
        """Adds a site, which others may resemble, and returns its key."""
        output, _ = self._run("site", "add", name, "--origin", origin, "--json")
        return str(json.loads(output)["site"])

    def _run(self, *arguments: str) -> tuple[str, str]:
        environment = {**os.environ, "GRAPEVINE_DATABASE": self.database}
        command = [sys.executable, "-m", "grapevine", *arguments]
        done = subprocess.run(  # noqa: S603
            command, env=environment, capture_output=True, text=True, timeout=SECONDS, check=False
        )
        assert done.returncode == 0, done.stderr
        return done.stdout, done.stderr


class Reader:
    """A person with a browser profile. Records the profile's requests to the server, and its errors.

    `expected` is the beginning of a console message that is no trouble.
    """

    def __init__(self, context: BrowserContext, demo: Demo) -> None:
        self.context = context
        self.reports: list[Request] = []
        self.refused: list[str] = []
        self.troubles: list[str] = []
        self.expected: str = ""
        self._answered: set[Request] = set()
        self._collect = f"{demo.server}/v1/"
        context.on("request", self._sent)
        context.on("response", self._heard)
        context.on("weberror", lambda error: self.troubles.append(str(error.error)))
        context.on("console", self._read)

    def open(self, url: str, tab: Page | None = None) -> Page:
        """Opens a page, in a new tab unless one is given, and waits until the visit is known."""
        page = tab or self.context.new_page()
        page.goto(url)
        page.wait_for_function(ARRIVED)
        return page

    @property
    def paths(self) -> list[str]:
        """Returns the collect calls so far by name, in the order of sending."""
        return [request.url.removeprefix(self._collect) for request in self.reports]

    def of(self, path: str) -> list[dict[str, Any]]:
        """The bodies of the reports of one kind."""
        return [dict(request.post_data_json or {}) for request in self.reports if request.url == self._collect + path]

    def wait(self, page: Page, path: str, number: int = 1) -> list[dict[str, Any]]:
        """The bodies of the reports of one kind, as soon as so many are answered."""
        url = self._collect + path
        until(
            page, lambda: [one for one in self._answered if one.url == url], lambda seen: len(seen) >= number, SECONDS
        )
        return self.of(path)

    def _sent(self, request: Request) -> None:
        if request.url.startswith(self._collect):
            self.reports.append(request)

    def _read(self, message: ConsoleMessage) -> None:
        if message.type == "error" and not (self.expected and message.text.startswith(self.expected)):
            self.troubles.append(message.text)

    def _heard(self, response: Response) -> None:
        if response.request in self.reports:
            self._answered.add(response.request)
            if response.status != 200:
                self.refused.append(f"{response.status} {response.url}")


MakeReader = Callable[..., Reader]


@pytest.fixture(scope="session")
def demo() -> Iterator[Demo]:
    """One demo per worker, on free ports; ends as the contract says."""
    command = [sys.executable, "-m", "grapevine", "demo", "--json", "--history", "0", "--port", "0", "--site-port", "0"]
    with subprocess.Popen(command, stdout=PIPE, stderr=PIPE, text=True) as process:  # noqa: S603
        assert process.stdout is not None
        line = process.stdout.readline()
        if not line:
            raise AssertionError(process.communicate()[1])
        running = Demo(json.loads(line))
        try:
            yield running
        finally:
            running.client.close()
            process.send_signal(signal.SIGTERM)
            _, complaints = process.communicate(timeout=SECONDS)
        assert (process.returncode, complaints) == (0, "")


@contextmanager
def readers(browser: Browser, demo: Demo) -> Iterator[MakeReader]:
    """Makes readers for as long as the block lasts. What is refused them or goes wrong on their pages is an error.

    Their pages do not scroll smoothly: what is pressed on one that still moves may be let go elsewhere.
    """
    made: list[Reader] = []

    def make(**options: Any) -> Reader:
        context = browser.new_context(**{"user_agent": DESK, "reduced_motion": "reduce", **options})
        context.set_default_timeout(SECONDS * 1000)
        made.append(Reader(context, demo))
        return made[-1]

    try:
        yield make
    finally:
        for one in made:
            one.context.close()
    troubles = [trouble for one in made for trouble in one.refused + one.troubles]
    assert not troubles, troubles


@pytest.fixture
def reader(browser: Browser, demo: Demo) -> Iterator[MakeReader]:
    """Makes the readers of one test."""
    with readers(browser, demo) as make:
        yield make
