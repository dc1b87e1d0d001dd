"""A small web site on an origin of its own, with the pages that a test adds."""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Final, NamedTuple
from urllib.parse import urlsplit

_HAD: Final[set[int]] = set()
"""Ports."""


class PageResponse(NamedTuple):
    body: bytes
    headers: Mapping[str, str]


class Site:
    """Pages by path; every page carries the site's snippet unless it says otherwise."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.snippet = ""
        self.first = ""
        """Stands before everything else in the head of each page."""
        self.delay = 0.0
        """Seconds until each answer."""
        self.answers: dict[str, PageResponse] = {}
        self.posted: list[str] = []
        """The paths of what was posted here, where nothing takes it."""

    def page(
        self,
        path: str = "/",
        body: str = "<p>A page.</p>",
        *,
        head: str = "",
        title: str = "A title",
        snippet: str | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> str:
        """Puts a page in place and returns its URL; `snippet` replaces the site's own."""
        html = (
            f'<!doctype html><html lang="en"><head>{self.first}<meta charset="utf-8"><title>{title}</title>'
            f'<meta name="viewport" content="width=device-width">{head}</head>'
            f"<body>{body}{self.snippet if snippet is None else snippet}</body></html>"
        )
        self.answers[path] = PageResponse(
            html.encode(), {"Content-Type": "text/html; charset=utf-8", **(headers or {})}
        )
        return self.origin + path

    def file(self, path: str, body: bytes | str, content_type: str) -> str:
        content = body.encode() if isinstance(body, str) else body
        self.answers[path] = PageResponse(content, {"Content-Type": content_type})
        return self.origin + path


class PageServer(ThreadingHTTPServer):
    """On a port of the loopback address; 0 is a free one."""

    daemon_threads = True

    def __init__(self, handler: type[BaseHTTPRequestHandler], port: int = 0) -> None:
        super().__init__(("127.0.0.1", port), handler)

    def handle_error(self, request: object, client_address: object) -> None:
        """Ignores connections that the browser closes."""


@contextmanager
def serve(handler: type[BaseHTTPRequestHandler], port: int = 0) -> Iterator[PageServer]:
    """A server that runs for as long as the block lasts; a free port is one that this process has not had before."""
    server = PageServer(handler, port) if port else _on_a_new_port(handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def _on_a_new_port(handler: type[BaseHTTPRequestHandler]) -> PageServer:
    """Else a tab that several tests share would remember what another test's site on the same origin left there."""
    while True:
        server = PageServer(handler)
        if server.server_port not in _HAD:
            _HAD.add(server.server_port)
            return server
        server.server_close()


@contextmanager
def serve_site() -> Iterator[Site]:
    """A site on a free port of the loopback address, for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            time.sleep(site.delay)
            answer = site.answers.get(urlsplit(self.path).path)
            self.send_response(200 if answer else 404)
            body, headers = answer or PageResponse(b"", {})
            for name, value in headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def do_POST(self) -> None:
            site.posted.append(self.path)
            self.send_error(404)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base class's
            pass

    with serve(Handler) as server:
        site = Site(f"http://127.0.0.1:{server.server_port}")
        yield site
