"""A Grapevine server that is ill: it records what it is sent, and answers as a test says, or not at all."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

DEADLINE = 60.0


class ReportsServer:
    """Records requests. ``status`` is how it answers, None for never; ``released`` lets it answer at all."""

    def __init__(self, status: int | None) -> None:
        self.status = status
        self.requests: list[tuple[str, str, dict[str, str], Any]] = []
        """Method, path, headers in lower case and JSON of each request."""
        self.released = threading.Event()
        self.ended = threading.Event()
        self.changed = threading.Condition()
        self.url = ""

    def wait_for(self, number: int) -> None:
        """Waits until so many requests came."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.requests) >= number, DEADLINE), self.requests

    @property
    def reports(self) -> list[tuple[str, str]]:
        """The token and the user agent of every report."""
        return [(each["token"], each["agent"]) for *_, body in self.requests for each in body["unfurls"]]


@contextmanager
def reports_server(status: int | None = 200) -> Iterator[ReportsServer]:
    """A server on a free port of 127.0.0.1."""
    server = ReportsServer(status)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = json.loads(self.rfile.read(int(self.headers["content-length"])))
            with server.changed:
                headers = {name.lower(): value for name, value in self.headers.items()}
                server.requests.append((self.command, self.path, headers, body))
                server.changed.notify_all()
            server.released.wait(DEADLINE)
            if server.status is None:
                server.ended.wait(DEADLINE)
                return
            answer = json.dumps({"results": []} if server.status == 200 else {"code": "x", "detail": "no"}).encode()
            self.send_response(server.status)
            self.send_header("Content-Type", "application/json" if server.status == 200 else "application/problem+json")
            self.send_header("Content-Length", str(len(answer)))
            self.end_headers()
            self.wfile.write(answer)

        def log_message(self, *_: object) -> None:
            pass

    class Quiet(ThreadingHTTPServer):
        daemon_threads = True

        def handle_error(self, *_: object) -> None:  # a client that has gone
            pass

    listening = Quiet(("127.0.0.1", 0), Handler)
    server.url = f"http://127.0.0.1:{listening.server_port}"
    thread = threading.Thread(target=listening.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.released.set()
        server.ended.set()
        listening.shutdown()
        listening.server_close()
        thread.join(DEADLINE)
