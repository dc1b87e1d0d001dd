"""The command ``doctor URL``: what it prints of a page, and its exit status."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.cli.terminal import Terminal


@contextmanager
def pages(**texts: str) -> Iterator[str]:
    """A server of pages on loopback: name of the path → HTML, in which ``HERE`` is its URL. Yields its URL."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            name = self.path.partition("?")[0].strip("/") or "home"
            text = texts.get(name)
            self.send_response(200 if text is not None else 404)
            self.send_header("Content-Type", "text/javascript" if name.endswith("js") else "text/html; charset=utf-8")
            self.end_headers()
            self.wfile.write((text or "").replace("HERE", url).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
    thread.start()
    try:
        yield url
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


WIDGET = {"widget.js": "window.grapevine", "v1/counts": '{"total": 0, "channels": {}}'}


def test_a_page_of_a_known_site_is_counted(run: Terminal) -> None:
    with pages(home="", **WIDGET) as url:
        site = str(run("site", "add", "Lees", "--origin", url).json["site"])
    page = f'<script async src="HERE/widget.js" data-site={site}></script>'
    with pages(home=page, bare="<p>", **WIDGET) as url:
        run("site", "set", site, f"origin={url}")
        done = run("doctor", f"{url}/", "--allow-private", "--json")
        assert (done.status, done.json["ok"], done.json["site"], done.json["url"]) == (0, True, site, f"{url}/")
        found = {finding["code"]: finding["level"] for finding in done.json["findings"]}
        assert found["snippet-found"] == found["site-known"] == found["script-reachable"] == "ok"
        shown = run("doctor", url.removeprefix("http://"), "--allow-private")
        assert shown.status == 0
        assert shown.out.startswith(f"Checking {url}\n")
        assert "ok       Grapevine's code is on the page, in line 1.\n" in shown.out
        assert shown.out.endswith("hints above.\n")
        missing = run("doctor", f"{url}/bare", "--allow-private")
        assert missing.status == 1
        assert missing.out.startswith(
            f"Checking {url}/bare\n\nPROBLEM  Grapevine's code is not on this page.\n         To do: Paste it into"
        )
        assert f'data-site="{site}"' in missing.out
        assert missing.out.endswith("Visits of this page are not counted: 1 problem to solve.\n")
        foreign = run("doctor", url.replace("127.0.0.1", "localhost"), "--allow-private")
        assert foreign.status == 1
        assert f"grapevine site set {site} origin={url} origin=http://localhost:" in foreign.out


def test_without_a_database_none_is_made(run: Terminal, tmp_path: Path) -> None:
    page = f"<script async src=HERE/widget.js data-site={'a' * 16}></script>"
    with pages(**{"home": page, "widget.js": "window.grapevine"}) as url:
        done = run("doctor", url, "--allow-private", "--json")
    found = {finding["code"]: finding["says"] for finding in done.json["findings"]}
    assert (done.status, done.json["site"]) == (0, None)
    assert "there is no Grapevine database on this machine" in found["site-not-asked"]
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("url", "status", "says"),
    [
        ("http://127.0.0.1:8001/", 1, "--allow-private admits such addresses"),
        ("ftp://a.example/", 2, "must begin with http:// or https://"),
        ("a b", 2, "write a page's address such as https://example.com/page"),
    ],
)
def test_addresses_that_are_not_checked(run: Terminal, url: str, status: int, says: str) -> None:
    done = run("doctor", url)
    assert done.status == status
    assert says in done.out + done.err


def test_what_a_page_says_reaches_no_terminal(run: Terminal) -> None:
    hostile = "\x1b]0;owned\x07\u202e\r\n"
    page = f"<script async src='HERE/widget.js' data-site='{hostile}' type='{hostile}'></script>"
    with pages(home=f"{page}<link rel=canonical href='{hostile}x'><meta property=og:image content='{hostile}'>") as url:
        done = run("doctor", url, "--allow-private")
    assert done.status == 1
    assert "PROBLEM" in done.out
    assert not set("\x1b\x07\u202e\r") & set(done.out + done.err)
