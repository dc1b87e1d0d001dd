"""A recording stand-in for the collect API, in the browser's own network layer: for tests of what the widget sends."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from playwright.sync_api import BrowserContext, Page, Route

from tests.support.fake_server import CORS as CORS
from tests.support.fake_server import Reply, StandIn
from tests.support.fake_server import token as token

HOME = "http://share.localhost/p/"
"""Another origin than the pages', behind a path prefix."""


Found = TypeVar("Found")


class Recorder(StandIn):
    """Answers every context that it is attached to."""

    def __init__(self, script: bytes, loaded_later: Mapping[str, bytes]) -> None:
        super().__init__(HOME, script, loaded_later)
        self.away = False

    def attach(self, context: BrowserContext) -> None:
        context.route(HOME + "**", self._handle)

    def _handle(self, route: Route) -> None:
        request = route.request
        name = request.url.removeprefix(HOME).partition("?")[0]
        if reply := self.file(name):
            _fulfill(route, reply)
        elif self.away:
            route.abort("connectionrefused")
        elif request.method == "GET":
            _fulfill(route, self.read(name))
        else:
            _fulfill(route, self.collect(name, request.post_data or "", request.headers))

    def wait(self, page: Page, path: str, count: int = 1) -> list[dict[str, Any]]:
        """The bodies of the reports to one endpoint, as soon as there are so many."""
        return until(page, lambda: self.of(path), lambda found: len(found) >= count)


def _fulfill(route: Route, reply: Reply) -> None:
    route.fulfill(status=reply.status, headers=dict(reply.headers), body=reply.body)


def until(page: Page, look: Callable[[], Found], done: Callable[[Found], bool] = bool, seconds: float = 30) -> Found:
    """Waits until `look` returns something true, and returns that; the page keeps running."""
    for _ in range(int(seconds * 100)):
        if done(found := look()):
            return found
        page.wait_for_timeout(10)
    raise AssertionError(f"never came about; last seen: {look()!r}")
