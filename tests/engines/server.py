"""The stand-in for a server on an origin of its own, over real connections; tests can make it misbehave."""

from __future__ import annotations

import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from threading import Condition, Event
from typing import Any, Final
from urllib.parse import urlsplit

from tests.support.built_widget import Built
from tests.support.fake_server import Reply, StandIn, snippet
from tests.support.page_server import serve

PATH: Final = "/p/"
FIRST: Final = """Object.defineProperty(window, Symbol.for('troubles'), {value: []});
addEventListener('error', event => window[Symbol.for('troubles')].push(event.message || String(event.target.src)));
addEventListener('unhandledrejection', event => window[Symbol.for('troubles')].push(String(event.reason)));
"""
SECONDS: Final = 30


class RecorderServer(StandIn):
    """What is set here holds for reports, counts and QR codes from then on; the widget's files come in any case.

    `refusal` (status, headers, body) refuses, `delay` is in seconds, `hangs` never answers, `drops` takes a report and
    closes the connection unanswered, `away` closes it at once and takes nothing.
    """

    def __init__(self, home: str, built: Built) -> None:
        super().__init__(home, built.scripts["widget"], built.loaded_later)
        self.delay = 0.0
        self.hangs = False
        self.drops = False
        self.away = False
        self.come = Condition()
        self.over = Event()

    @property
    def first(self) -> str:
        """The script that stands first in each page and keeps the page's uncaught errors."""
        return f'<script src="{self.home}first.js"></script>'

    def snippet(self, **attributes: str) -> str:
        """The line that embeds the widget, with more `data-` attributes if wanted."""
        return snippet(self.home, **attributes)

    def wait(self, path: str, count: int = 1, seconds: float = SECONDS) -> list[dict[str, Any]]:
        """The bodies of the reports to one endpoint, as soon as there are so many."""
        with self.come:
            self.come.wait_for(lambda: len(self.of(path)) >= count, seconds)
        found = self.of(path)
        assert len(found) >= count, f"{count} {path} never came; these did: {self.paths}"
        return found

    def answer(self, method: str, name: str, text: str, headers: dict[str, str]) -> Reply | None:
        """The reply; None if there is none and the connection is to be closed."""
        if method == "GET" and name == "first.js":
            return Reply(200, {"Content-Type": "text/javascript"}, FIRST.encode())
        if method == "GET" and (reply := self.file(name)):
            return reply
        if self.away:
            return None
        with self.come:
            reply = self.read(name) if method == "GET" else self.collect(name, text, headers)
            self.come.notify_all()
        drops = self.drops
        self.over.wait(None if self.hangs else self.delay)
        return None if drops or self.over.is_set() else reply


@contextmanager
def serve_recorder(built: Built) -> Iterator[RecorderServer]:
    """A recorder on a free port of the loopback address, for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            text = self.rfile.read(int(self.headers.get("Content-Length", 0))).decode()
            name = urlsplit(self.path).path.removeprefix(PATH)
            headers = {header.lower(): value for header, value in self.headers.items()}
            if reply := recorder.answer(self.command, name, text, headers):
                self.send_response(reply.status)
                for header, value in reply.headers.items():
                    self.send_header(header, value)
                self.send_header("Content-Length", str(len(reply.body)))
                self.end_headers()
                self.wfile.write(reply.body)
            else:
                # A connection that is reset, not closed, is no empty answer to any browser.
                self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

        do_POST = do_GET  # noqa: N815  # the name is the base class's

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base class's
            pass

    with serve(Handler) as server:
        recorder = RecorderServer(f"http://127.0.0.1:{server.server_port}{PATH}", built)
        try:
            yield recorder
        finally:
            recorder.over.set()
