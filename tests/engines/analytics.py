"""The analytics of other projects, as a page embeds them, and a server of theirs on the loopback address."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler
from threading import Condition
from typing import Any, Final

from tests.support.npm_packages import read
from tests.support.page_server import Site, serve

SECONDS: Final = 30
POSTHOG: Final = "pkg:npm/posthog-js@1.449.2"
PLAUSIBLE: Final = "pkg:npm/%40plausible-analytics/tracker@0.4.6"
UMAMI: Final = "pkg:npm/umami@2.10.0"


class Ingest:
    """Everything that was sent to it: path, body and `Referer`, as bytes."""

    def __init__(self, origin: str) -> None:
        self.origin = origin
        self.got: list[tuple[str, bytes, str]] = []
        self.come = Condition()

    @property
    def text(self) -> str:
        """All of it, to be searched."""
        with self.come:
            return "\n".join(
                f"{path} {body.decode('utf-8', 'replace')} {referrer}" for path, body, referrer in self.got
            )

    def events(self, kind: Callable[[bytes], list[tuple[str, Any]]], wanted: str) -> list[Any]:
        """The properties of the events of that name, as soon as there is one."""

        def named() -> list[Any]:
            return [properties for _, body, _ in self.got for name, properties in kind(body) if name == wanted]

        with self.come:
            self.come.wait_for(named, SECONDS)
            found = named()
        assert found, f"{kind.__name__} never heard of {wanted}; it got {self.text[:2000]}"
        return found


@contextmanager
def serve_ingest() -> Iterator[Ingest]:
    """A server that takes everything, on a free port, for as long as the block lasts."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
            with ingest.come:
                ingest.got.append((self.path, body, self.headers.get("Referer", "")))
                ingest.come.notify_all()
            self.send_response(200)
            for name in ("Origin", "Methods", "Headers"):
                self.send_header(f"Access-Control-Allow-{name}", "*")
            self.send_header("Content-Length", "2")
            self.end_headers()
            self.wfile.write(b"{}")

        do_GET = do_OPTIONS = do_POST  # noqa: N815  # the names are the base class's

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the name is the base class's
            pass

    with serve(Handler) as server:
        ingest = Ingest(f"http://127.0.0.1:{server.server_port}")
        yield ingest


# What a page embeds ---------------------------------------------------------------------------------------------------


def posthog_script(site: Site, ingest: Ingest, options: str = "") -> str:
    """The address of a script that runs posthog-js, `dist/array.no-external.js`, which fetches no more of itself."""
    start = f"""posthog.init('phc_test', {{
      api_host: '{ingest.origin}', disable_compression: true, request_batching: false, advanced_disable_flags: true,
      opt_out_useragent_filter: true, autocapture: false, disable_session_recording: true, {options}
    }});"""
    code = read(POSTHOG, "dist/array.no-external.js")
    return site.file("/posthog.js", f"{code}\n{start}", "text/javascript")


def plausible_script(site: Site, ingest: Ingest, options: str = "") -> str:
    """The address of a script that runs Plausible's tracker from npm, which is built from the source of its script."""
    code = read(PLAUSIBLE, "plausible.js")
    body = code.partition("export {")[0]
    start = (
        f"init({{domain: 'example.com', endpoint: '{ingest.origin}/plausible', captureOnLocalhost: true, {options}}});"
    )
    return site.file("/plausible.js", f"(() => {{ {body}\n{start} }})()", "text/javascript")


def umami_script(site: Site) -> str:
    """The address of the source of Umami's tracker, for an element with `data-website-id` and `data-host-url`."""
    return site.file("/umami.js", read(UMAMI, "src/tracker/index.js"), "text/javascript")


# What they send -------------------------------------------------------------------------------------------------------


def _read(body: bytes) -> Any:
    try:
        return json.loads(body)
    except ValueError:
        return None


def posthog(body: bytes) -> list[tuple[str, Any]]:
    sent = _read(body)
    events = sent if isinstance(sent, list) else sent.get("batch", [sent]) if isinstance(sent, dict) else []
    return [(event["event"], event["properties"]) for event in events if "event" in event]


def plausible(body: bytes) -> list[tuple[str, Any]]:
    sent = _read(body)
    return [(sent["n"], sent)] if isinstance(sent, dict) and "n" in sent else []


def umami(body: bytes) -> list[tuple[str, Any]]:
    sent = _read(body)
    if not (isinstance(sent, dict) and sent.get("type") == "event"):
        return []
    return [(sent["payload"].get("name", "pageview"), sent["payload"])]
