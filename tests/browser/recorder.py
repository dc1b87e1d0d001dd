"""A recording stand-in for the collect API, in the browser's own network layer: for tests of what the widget sends."""

from __future__ import annotations

import io
import json
from collections.abc import Callable
from typing import Any, NamedTuple, TypeVar

import segno
from playwright.sync_api import BrowserContext, Page, Route

from grapevine.channels import CODES

HOME = "http://share.localhost/p/"
"""Another origin than the pages', behind a path prefix."""
CORS = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Grapevine-Dropped, Retry-After"}


Found = TypeVar("Found")


class Report(NamedTuple):
    path: str
    body: dict[str, Any]
    headers: dict[str, str]


class Recorder:
    """Serves the widget, answers its reports like a server would, and keeps them in the order in which they came."""

    def __init__(self, script: bytes, beside: dict[str, bytes]) -> None:
        self.files = {"widget.js": (script, "text/javascript")}
        types = {"js": "text/javascript", "json": "application/json"}
        self.files |= {name: (body, types[name.rpartition(".")[2]]) for name, body in beside.items()}
        self.asked: list[str] = []
        self.counts: dict[str, Any] = {"total": 0, "channels": {}}
        self.reports: list[Report] = []
        self.away = False
        self.refusal: tuple[int, dict[str, str], str] | None = None
        self.returned: dict[str, Any] | None = None
        self._visits: dict[str, int] = {}

    def attach(self, context: BrowserContext) -> None:
        context.route(HOME + "**", self._handle)

    def _handle(self, route: Route) -> None:
        request = route.request
        name = request.url.removeprefix(HOME).partition("?")[0]
        if name in self.files:
            self.asked.append(name)
            body, content_type = self.files[name]
            route.fulfill(body=body, content_type=content_type, headers=CORS)
        elif name.startswith("widget."):
            route.fulfill(status=404, headers=CORS)
        elif self.away:
            route.abort("connectionrefused")
        elif request.method == "GET":
            self._read(route, name)
        else:
            self._collect(route, name)

    def _read(self, route: Route, name: str) -> None:
        self.asked.append(name)
        if name == "v1/counts":
            route.fulfill(json=self.counts, headers=CORS)
        else:
            drawn = io.BytesIO()
            segno.make(HOME + name, error="m").save(drawn, kind="svg", scale=8, border=2, xmldecl=False, svgns=True)
            route.fulfill(body=drawn.getvalue(), content_type="image/svg+xml", headers=CORS)

    def _collect(self, route: Route, name: str) -> None:
        body = json.loads(route.request.post_data or "null")
        self.reports.append(Report(name, body, route.request.headers))
        unknown = not set(body.get("channels", [])) <= set(CODES)
        if self.refusal or unknown:
            status, headers, text = self.refusal or (422, {"Grapevine-Dropped": "invalid"}, "{}")
            route.fulfill(status=status, headers={**CORS, **headers}, body=text)
        else:
            answer = {"v1/visits": self._visit, "v1/shares": self._share}.get(name, lambda _: {})(body)
            route.fulfill(json=answer, headers=CORS)

    def _visit(self, body: dict[str, Any]) -> dict[str, Any]:
        number = self._visits.setdefault(body["nonce"], len(self._visits) + 1)
        returned = {"valid": True, "depth": 1, "self": bool(body.get("own")), "same_network": False}
        return {
            "visit": f"visit{number}",
            "session": f"session{number}",
            "tokens": {channel: token(number, channel) for channel in body["channels"]},
            "returned": returned if body.get("token") else None,
        }

    def _share(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"next": body["token"][:-1] + chr(ord(body["token"][-1]) + 1)}

    def of(self, path: str) -> list[dict[str, Any]]:
        """The bodies of the reports to one endpoint."""
        return [report.body for report in self.reports if report.path == f"v1/{path}"]

    @property
    def paths(self) -> list[str]:
        return [report.path.removeprefix("v1/") for report in self.reports]

    def wait(self, page: Page, path: str, count: int = 1) -> list[dict[str, Any]]:
        """The bodies of the reports to one endpoint, as soon as there are so many."""
        return until(page, lambda: self.of(path), lambda found: len(found) >= count)


def until(page: Page, look: Callable[[], Found], done: Callable[[Found], bool] = bool, seconds: float = 5) -> Found:
    """What `look` finds once it satisfies; lets the page go on meanwhile."""
    for _ in range(int(seconds * 100)):
        if done(found := look()):
            return found
        page.wait_for_timeout(10)
    raise AssertionError(f"never came about; last seen: {look()!r}")


def token(visit: int, channel: str, n: int = 0) -> str:
    """The stand-in's token: it names its share, so that a failing test can be read."""
    return f"V{visit}{channel}".ljust(22, "0") + str(n)
