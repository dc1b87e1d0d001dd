"""A stand-in for a server, for any transport: serves the widget, responds to its reports and records them."""

from __future__ import annotations

import io
import json
import re
import string
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import segno

from grapevine.domain.channels import CODES, USUAL

SITE: Final = "sitekey"
CORS: Final = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "Grapevine-Dropped, Retry-After"}
NUMBERS: Final = string.digits + string.ascii_letters
"""The last characters of the tokens of a channel, in order."""
TYPES: Final = {"js": "text/javascript", "json": "application/json"}


class Report(NamedTuple):
    path: str
    body: dict[str, Any]
    headers: Mapping[str, str]
    """Header names are lower case."""


class Reply(NamedTuple):
    status: int
    headers: Mapping[str, str]
    body: bytes


class StandIn:
    """Answers like a server would, and keeps the reports in the order in which they came.

    `home` is the base URL, `script` the widget; `loaded_later` are its other files by name.
    """

    def __init__(self, home: str, script: bytes, loaded_later: Mapping[str, bytes]) -> None:
        self.home = home
        self.files = {"widget.js": (script, TYPES["js"])}
        self.files |= {name: (body, TYPES[name.rpartition(".")[2]]) for name, body in loaded_later.items()}
        self.asked: list[str] = []
        """The GET requests for files and readings."""
        self.counts: dict[str, Any] = {"total": 0, "channels": {}}
        self.reports: list[Report] = []
        self.refusal: tuple[int, dict[str, str], str] | None = None
        """Status, headers and body by which every report is refused."""
        self.joint: str | None = None
        """What it wants between name and token in fragments; servers of earlier versions say nothing."""
        self.returned: dict[str, Any] = {}
        """What else it says of the tokens that visits come with; by itself, that they are of others' shares."""
        self._visits: dict[str, int] = {}

    def file(self, name: str) -> Reply | None:
        """Returns a file of the widget, or None for another path."""
        if name in self.files:
            self.asked.append(name)
            body, content_type = self.files[name]
            return Reply(200, {**CORS, "Content-Type": content_type}, body)
        return Reply(404, CORS, b"") if name.startswith("widget.") else None

    def read(self, name: str) -> Reply:
        """Returns counts, or a QR code."""
        self.asked.append(name)
        if name == "v1/counts":
            return _json(self.counts)
        return _qr_code(self.home + name)

    def collect(self, name: str, text: str, headers: Mapping[str, str]) -> Reply:
        """Records a report and returns its response, or draws the QR code of a page's own URL."""
        if name.endswith("/qr.svg"):
            self.asked.append(f"POST {name}")
            return _qr_code(text)
        body = json.loads(text or "null")
        self.reports.append(Report(name, body, headers))
        if self.refusal:
            status, more, answer = self.refusal
            return Reply(status, {**CORS, **more}, answer.encode())
        return _json({"v1/visits": self._visit, "v1/shares": self._share}.get(name, lambda _: {})(body))

    def _visit(self, body: dict[str, Any]) -> dict[str, Any]:
        if body["opted_out"]:
            return {"visit": None, "session": None, "tokens": {}, "returned": None}
        named = [channel for channel in re.findall(r"\w+", body["channels"]) if channel in CODES]
        number = self._visits.setdefault(body["nonce"], len(self._visits) + 1)
        valid = {"valid": True, "depth": 1, "self": bool(body.get("own")), "same_network": False, "channel": "whatsapp"}
        returned = {**valid, **self.returned}
        return {
            "visit": f"visit{number}",
            "session": f"session{number}",
            "tokens": {channel: token(number, channel) for channel in named or USUAL},
            "returned": returned if body.get("token") else None,
            "source": "share" if body.get("token") and returned["valid"] else "direct-deep",
        } | ({"joint": self.joint} if self.joint else {})

    def _share(self, body: dict[str, Any]) -> dict[str, Any]:
        return {"next": body["token"][:-1] + NUMBERS[NUMBERS.index(body["token"][-1]) + 1]}

    def of(self, path: str) -> list[dict[str, Any]]:
        """The bodies of the reports to one endpoint."""
        return [report.body for report in self.reports if report.path == f"v1/{path}"]

    @property
    def paths(self) -> list[str]:
        return [report.path.removeprefix("v1/") for report in self.reports]


def _qr_code(url: str) -> Reply:
    drawn = io.BytesIO()
    segno.make(url, error="m").save(drawn, kind="svg", scale=8, border=2, xmldecl=False, svgns=True)
    return Reply(200, {**CORS, "Content-Type": "image/svg+xml"}, drawn.getvalue())


def _json(value: Any) -> Reply:
    return Reply(200, {**CORS, "Content-Type": "application/json"}, json.dumps(value).encode())


def token(visit: int, channel: str, n: int = 0) -> str:
    """The stand-in's token: it names its share, so that a failing test can be read."""
    return f"V{visit}{channel}".ljust(22, "0") + NUMBERS[n]


def snippet(home: str, **attributes: str) -> str:
    """The line that embeds the widget, with more `data-` attributes if wanted."""
    data = "".join(f' data-{name.replace("_", "-")}="{value}"' for name, value in attributes.items())
    return f'<script async src="{home}widget.js" data-site="{SITE}"{data}></script>'
