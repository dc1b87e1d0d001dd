"""What the checks of a page say of a Content Security Policy is what Chromium does under it."""

from __future__ import annotations

import ssl
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme
from playwright.sync_api import Browser, Page

from tests.support.browsers import CHROMIUM, FLAGS
from tests.unit.doctor.pages import LINE
from tests.unit.doctor.test_policies import POLICIES

PATIENCE_SECONDS = 60
PAGE = f"<!doctype html><head>{LINE.replace('async', 'async nonce=abc')}</head>"
PART = "https://share.example/widget.000000000000.buttons.js"
SCRIPT = f"""
window.ran = true;
import('{PART}').then(() => (window.part = true), () => (window.part = false));
fetch('https://share.example/v1/visits', {{method: 'POST', body: ''}})
  .then(() => (window.sent = true), () => (window.sent = false));
"""
OVER = "window.ran ? 'part' in window && 'sent' in window : document.readyState == 'complete'"


class _Server(ThreadingHTTPServer):
    """Serves the page with a policy, the script, its part, and takes reports, for every host."""

    policy = ""


class _Handler(BaseHTTPRequestHandler):
    server: _Server

    def do_GET(self) -> None:
        is_page = "a.example" in self.headers["Host"]
        body = PAGE if is_page else "export {}" if "buttons" in self.path else SCRIPT if "widget" in self.path else "{}"
        self.send_response(200)
        self.send_header("Content-Type", "text/html" if is_page else "text/javascript")
        self.send_header("Access-Control-Allow-Origin", "*")
        if is_page and self.server.policy:
            self.send_header("Content-Security-Policy", self.server.policy)
        self.end_headers()
        self.wfile.write(body.encode())

    def do_POST(self) -> None:
        self.do_GET()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture(scope="module")
def pages() -> Iterator[_Server]:
    server = _Server(("127.0.0.1", 0), _Handler)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    trustme.CA().issue_cert("a.example", "share.example").configure_cert(tls)
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.mark.slow
def test_chromium_agrees(pages: _Server, browser: Browser) -> None:
    # Of two flags with one name the last one counts.
    hosts = f"--host-resolver-rules=MAP * 127.0.0.1:{pages.server_address[1]}"
    chromium = browser.browser_type.launch(executable_path=CHROMIUM, args=[*FLAGS, hosts])
    try:
        for pages.policy, expected in POLICIES:
            if "csp-sandbox" in expected:
                continue
            context = chromium.new_context(ignore_https_errors=True)
            page = context.new_page()
            page.goto("https://a.example/page")
            _wait(page)
            ran, part, sent = page.evaluate("[window.ran, window.part, window.sent].map(Boolean)")
            assert ran is not bool({"csp-script-blocked", "csp-script-nonce"} & expected.keys()), pages.policy
            if ran:
                assert part is ("csp-parts-blocked" not in expected), pages.policy
                assert sent is ("csp-connect-blocked" not in expected), pages.policy
            context.close()
    finally:
        chromium.close()


def _wait(page: Page) -> None:
    """Waits until the script has run to its end, or did not; `wait_for_function` is an eval, which policies forbid."""
    until = time.monotonic() + PATIENCE_SECONDS
    while not page.evaluate(OVER):
        assert time.monotonic() < until, "the page did not come to its end"
        page.wait_for_timeout(20)
