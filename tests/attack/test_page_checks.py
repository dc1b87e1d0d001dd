"""Check a page: a key of a site makes the server look at no address but the site's, and hostile pages do it no harm."""

from __future__ import annotations

import json
import socket
import threading
import zlib
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from urllib.parse import urlencode

import pytest

from grapevine.collect.rate_limit import PAGE_CHECKS
from tests.support.attacked_server import AttackedInstallation, AttackedServer, AttackedSite
from tests.support.raw_connection import RawResponse

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n"
PATIENCE_SECONDS = 60


class Trap:
    """A server on loopback that sends ``answer`` to each request, and counts its connections."""

    def __init__(self, answer: Iterator[bytes] | list[bytes], host: str = "127.0.0.1") -> None:
        self.connections = 0
        self._answer = answer
        self._listening = socket.create_server((host, 0))
        self.origin = f"http://{host}:{self._listening.getsockname()[1]}"
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self._thread.start()

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listening.accept()
            except OSError:
                return
            self.connections += 1
            threading.Thread(target=self._respond, args=(connection,), daemon=True).start()

    def _respond(self, connection: socket.socket) -> None:
        with closing(connection):
            connection.settimeout(PATIENCE_SECONDS)
            try:
                connection.recv(65_536)
                for piece in self._answer:
                    connection.sendall(piece)
            except OSError:
                pass

    def close(self) -> None:
        """Takes no more connections."""
        self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()


@contextmanager
def trap(*answer: bytes) -> Iterator[Trap]:
    """A trap for the time of the block."""
    opened = Trap(list(answer))
    try:
        yield opened
    finally:
        opened.close()


class Owner:
    """The holder of a site's key, signed in from an address of its own."""

    def __init__(self, server: AttackedServer, site: AttackedSite, number: int = 1) -> None:
        self._server = server
        self._source = f"127.0.1.{number}"
        self._own = {
            "Origin": f"http://127.0.0.1:{server.port}",
            "Content-Type": "application/x-www-form-urlencoded",
        }
        signed_in = self._post("/sign-in", key=site.key)
        assert signed_in.status == 303, signed_in
        self._own["Cookie"] = signed_in.headers["set-cookie"].partition(";")[0]

    def check(self, url: str) -> RawResponse:
        """Checks a page."""
        return self._post("/check", url=url)

    def _post(self, path: str, **fields: str) -> RawResponse:
        return self._server.ask("POST", path, urlencode(fields).encode(), self._own, self._source)


def add_site(attacked: AttackedInstallation, origins: Sequence[str]) -> AttackedSite:
    """A site with all of these origins."""
    named = [word for origin in origins for word in ("--origin", origin)]
    added = json.loads(attacked.run("site", "add", "Checked", *named).out)
    return AttackedSite(added["site"], origins[0], added["key"])


def test_no_other_address_is_looked_at(attacked: AttackedInstallation) -> None:
    with trap(OK, b"\r\nsecret of another service") as inside:
        names = "".join(
            f"<script src='{inside.origin}/{name}'></script><meta property=og:image content='{inside.origin}/i.png'>"
            f"<link rel=canonical href='{inside.origin}/c'><base href='{inside.origin}/'><iframe src='{inside.origin}'>"
            for name in ("widget.js?site=x", "a.js")
        )
        redirect = f"HTTP/1.1 302 Found\r\nLocation: {inside.origin}/\r\n\r\n".encode()
        with trap(OK, b"\r\n", names.encode()) as page, trap(redirect) as leading:
            site = add_site(attacked, (page.origin, leading.origin))
            with attacked.attacked() as server, server.harmless():
                owner = Owner(server, site)
                shown = owner.check(f"{page.origin}/")
                assert shown.status == 200
                assert page.connections > 0
                led = owner.check(f"{leading.origin}/")
                assert (led.status, leading.connections) == (200, 1)
                assert b"is not one of this site&#39;s addresses" in led.body
                stranger = Owner(server, attacked.sites[0], 2)
                port = inside.origin.rpartition(":")[2]
                for spelled in (
                    inside.origin, f"http://2130706433:{port}/", f"http://0x7f.1:{port}/", f"http://0177.0.0.1:{port}/",
                    f"http://127.1:{port}/", f"http://[::ffff:127.0.0.1]:{port}/", f"http://localhost:{port}/",
                    f"http://u@127.0.0.1:{port}/", f"{page.origin}@127.0.0.1:{port}/", "http://127.0.0.1:22/",
                    "http://[fe80::1%25lo]/", "file:///etc/passwd", "http://169.254.169.254/latest/meta-data/",
                ):  # fmt: skip
                    assert stranger.check(spelled).status == 422, spelled
            assert inside.connections == 0
            assert b"secret of another service" not in shown.body + led.body


def _bomb() -> bytes:
    packing = zlib.compressobj(9, wbits=31)
    return b"".join(packing.compress(bytes(1 << 20)) for _ in range(256)) + packing.flush()


LARGE = 2 << 20


def _repeated(piece: bytes) -> bytes:
    return b"\r\n" + piece * (LARGE // len(piece))


HOSTILE = {
    "endless": [OK, b"\r\n"] + [bytes(1 << 16)] * 1_024,
    "bomb": [OK, b"Content-Encoding: gzip\r\n\r\n", _bomb()],
    "headers": [OK] + [b"X-A: " + b"b" * 8_000 + b"\r\n"] * 4_096,
    "tags": [OK, _repeated(b"<a href=#>x</a>")],
    "nested": [OK, _repeated(b"<div><template>")],
    "scripts": [OK, _repeated(b"<script src=a></script>")],
    "attributes": [OK, _repeated(b"<script a=b c='d' e>")],
    "comments": [OK, _repeated(b"<!----!><!--")],
    "entities": [OK, b"\r\n<link rel=canonical href='" + b"&lt;" * (LARGE // 5) + b"'>"],
    "selectors": [OK, b"\r\n<script>hash " + b"$(location.has" * (LARGE // 15) + b"</script>"],
    "variables": [OK, b"\r\n<script>" + b"a=location.hash;$($($(" * (LARGE // 23) + b"</script>"],
    "text": [OK, _repeated(b"&lt;script widget ")],
    "policy": [
        OK,
        b"\r\n<meta http-equiv=content-security-policy content='" + b"script-src a;" * (LARGE // 14) + b"'>",
    ],
    "addresses": [OK, _repeated(b"<script src='" + b"a" * 20_000 + b"'></script>")],
    "unicode": [OK, b"\r\n" + "😀widget.js“".encode() * (LARGE // 20)],
}
USUAL = ("endless", "bomb", "headers", "attributes", "comments", "selectors")


@pytest.mark.parametrize(
    "names", [USUAL, pytest.param(tuple(HOSTILE), marks=pytest.mark.slow)], ids=("usual", "all of them")
)
def test_hostile_pages(names: tuple[str, ...], attacked: AttackedInstallation) -> None:
    traps = {name: Trap(HOSTILE[name]) for name in names}
    groups = [names[start : start + PAGE_CHECKS] for start in range(0, len(names), PAGE_CHECKS)]
    try:
        sites = [add_site(attacked, [traps[name].origin for name in group]) for group in groups]
        with attacked.attacked() as server, server.harmless():
            for number, (site, group) in enumerate(zip(sites, groups, strict=True), 1):
                owner = Owner(server, site, number)
                for name in group:
                    shown = owner.check(traps[name].origin)
                    assert shown.status == 200, (name, shown)
                    assert traps[name].connections > 0, name
                    assert len(shown.body) < 100_000, name
    finally:
        for opened in traps.values():
            opened.close()
