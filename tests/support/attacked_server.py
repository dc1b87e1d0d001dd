"""A server that a test attacks: ``grapevine serve`` as a process, with a probe of its event loop and of its memory.

``with server.harmless(): attack()`` is the claim that an attack does no harm: while it lasts a visitor and the owner
are answered, the loop never stands still for long, and memory stays bounded.
"""

from __future__ import annotations

import http.client
import json
import os
import secrets
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import Any, Final, NamedTuple
from urllib.parse import urlencode

from tests.support.probed_server import Probe
from tests.support.raw_connection import ORIGIN, RawResponse
from tests.support.server_process import PATIENCE_SECONDS, ExitResult, Installation, ServerProcess
from tests.support.user_agents import CHROME

LONGEST_GAP_SECONDS: Final = 0.25
MOST_GROWTH: Final = 100 << 20
BYSTANDER: Final = "127.0.0.9"
"""The address of the visitor and the owner who are no attackers."""

_PAUSE_SECONDS: Final = 0.25


class AttackedSite(NamedTuple):
    """A site: its public key, its origin and its administrator's API key."""

    site: str
    origin: str
    key: str


class AttackedServer:
    """A running server. ``sites`` are those of the installation."""

    def __init__(self, process: ServerProcess, probe: Probe, sites: tuple[AttackedSite, ...], log: Path) -> None:
        self.process = process
        self.port = process.port
        self.sites = sites
        self._probe = probe
        self._log = log
        self._cookie = ""

    @property
    def log(self) -> str:
        """Returns the standard error of the process so far."""
        return self._log.read_text()

    def ask(
        self,
        method: str,
        path: str,
        body: object = None,
        headers: Mapping[str, str] | None = None,
        source: str = "127.0.0.1",
    ) -> RawResponse:
        """Sends one request on a connection of its own, from any address in 127.0.0.0/8, as a browser on a page."""
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.port, timeout=PATIENCE_SECONDS, source_address=(source, 0)
        )
        try:
            content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
            connection.request(method, path, content, {"User-Agent": CHROME, "Origin": ORIGIN} | dict(headers or {}))
            answer = connection.getresponse()
            found = {name.lower(): value for name, value in answer.getheaders()}
            return RawResponse(answer.status, found, _body(answer))
        finally:
            connection.close()

    def visit(self, site: AttackedSite | None = None, source: str = BYSTANDER, **fields: Any) -> RawResponse:
        """Sends a visit to a page of the site (the first one)."""
        site = site or self.sites[0]
        usual = {"site": site.site, "url": f"{site.origin}/", "nonce": secrets.token_hex(16), "channels": ["copy"]}
        return self.ask("POST", "/v1/visits", usual | fields, {"Origin": site.origin}, source)

    def dashboard(self, path: str = "/", site: AttackedSite | None = None) -> RawResponse:
        """Reads a page of the dashboard as the owner of the first site, or as that of ``site``."""
        if site is not None and site != self.sites[0]:
            return self.ask("GET", path, headers={"Cookie": self._signed_in(site)}, source=BYSTANDER)
        self._cookie = self._cookie or self._signed_in(self.sites[0])
        return self.ask("GET", path, headers={"Cookie": self._cookie}, source=BYSTANDER)

    def _signed_in(self, site: AttackedSite) -> str:
        form = urlencode({"key": site.key}).encode()
        headers = {
            "Origin": f"http://127.0.0.1:{self.port}", "Content-Type": "application/x-www-form-urlencoded",
        }  # fmt: skip
        answer = self.ask("POST", "/sign-in", form, headers, BYSTANDER)
        assert answer.status == 303, answer
        return answer.headers["set-cookie"].partition(";")[0]

    @contextmanager
    def harmless(
        self,
        page: str = "/",
        *,
        most_growth: int = MOST_GROWTH,
        longest_gap: float = LONGEST_GAP_SECONDS,
    ) -> Iterator[None]:
        """Asserts at the end of the block that what happened in it did no harm.

        Meanwhile a visitor of the first site and its owner, who reads ``page`` of the dashboard, are answered again and
        again, from an address of their own.
        """
        self.visit()
        self.dashboard(page)
        before = self.process.resident()
        self._probe.restart()
        watch = _Watch(self, page)
        watch.start()
        try:
            yield
        finally:
            watch.stop()
        watch.check()
        gap, held_up = self._probe.longest_gap()
        growth = max(watch.resident, self.process.resident()) - before
        print(
            f"longest gap {gap * 1000:.0f} ms, {held_up * 1000:.0f} ms of it held up by the server; "
            f"memory {before >> 20} + {growth / (1 << 20):.1f} MiB; {watch.rounds} visits and pages answered, "
            f"the slowest in {watch.slowest * 1000:.0f} ms"
        )
        assert held_up <= longest_gap, f"the event loop stood still for {held_up:.3f} s"
        assert growth <= most_growth, f"memory grew by {growth >> 20} MiB"

    def end(self) -> ExitResult:
        """Ends the server in good order, and returns how it ended and its log."""
        return self.process.end()


def _body(answer: http.client.HTTPResponse) -> bytes:
    """Returns the body of an answer; of a live stream, which does not end, up to its first event."""
    if answer.getheader("Content-Type") != "text/event-stream":
        return answer.read()
    body = b""
    while (piece := answer.read1()) and b"event: " not in body + piece:
        body += piece
    return body + piece


class _Watch:
    """A thread that asks as a visitor and as the owner, and looks at the memory, until it is stopped."""

    def __init__(self, server: AttackedServer, page: str) -> None:
        self._thread = threading.Thread(target=self._run, daemon=True)
        self.rounds = 0
        self.slowest = 0.0
        self.resident = 0
        self._server = server
        self._page = page
        self._stopping = threading.Event()
        self._failure: BaseException | None = None

    def start(self) -> None:
        """Starts the thread."""
        self._thread.start()

    def _run(self) -> None:
        try:
            while True:
                self._ask()
                if self._stopping.wait(_PAUSE_SECONDS):
                    return
        except BaseException as error:
            self._failure = error

    def _ask(self) -> None:
        self.resident = max(self.resident, self._server.process.resident())
        for what, ask in (("visit", self._server.visit), ("page", partial(self._server.dashboard, self._page))):
            started = time.monotonic()
            answer: RawResponse = ask()
            self.slowest = max(self.slowest, time.monotonic() - started)
            assert answer.status == 200, (what, answer)
        self.resident = max(self.resident, self._server.process.resident())
        self.rounds += 1

    def stop(self) -> None:
        """Waits for the round in progress."""
        self._stopping.set()
        self._thread.join(PATIENCE_SECONDS)

    def check(self) -> None:
        """Raises what went wrong."""
        if self._failure is not None:
            raise AssertionError("a visitor or the owner was not answered during the attack") from self._failure
        assert self.rounds, "nobody was answered during the attack"


class AttackedInstallation(Installation):
    """A database with sites, and servers on it with a new installation's settings, unless a test says otherwise."""

    def __init__(self, folder: Path, logs: Path, sites: tuple[AttackedSite, ...]) -> None:
        super().__init__(folder, logs, sites[0].site if sites else "", sites[0].key if sites else "")
        self.sites = sites
        self._given: dict[str, str] = {}

    @contextmanager
    def attacked(
        self, *arguments: str, module: str = "tests.support.probed_server", **settings: str
    ) -> Iterator[AttackedServer]:
        """Yields a server that is ready. ``settings`` are ``GRAPEVINE_…``; ``arguments`` go to ``serve``, which
        ``module`` runs."""
        self._given = settings
        probe = Probe(self.logs / "probe")
        command = ("-m", module, str(self.logs / "probe"), *arguments)
        with self.serving(command) as process:
            yield AttackedServer(process, probe, self.sites, self.log)

    def add_site(self, name: str, origin: str = ORIGIN) -> AttackedSite:
        """Adds a site by the command line."""
        added = self.run("site", "add", name, "--origin", origin)
        assert added.status == 0, added
        site = json.loads(added.out)
        return AttackedSite(site["site"], origin, site["key"])

    def _settings(self) -> dict[str, str]:
        return super()._settings() | {"GRAPEVINE_RATE_LIMIT": "", "GRAPEVINE_CONNECTIONS": ""} | self._given


def install_attacked(folder: Path, logs: Path) -> AttackedInstallation:
    """A new database with two sites, ``https://a.example`` and ``https://b.example``, never served."""
    empty = AttackedInstallation(folder, logs, ())
    sites = (empty.add_site("Attacked"), empty.add_site("Neighbour", "https://b.example"))
    return AttackedInstallation(folder, logs, sites)


def lowest_priority() -> None:
    """Gives this process the lowest priority, so that the processors are the server's."""
    os.nice(19)
