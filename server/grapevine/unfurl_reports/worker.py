"""The thread of one process that reads the noted requests' user agents and reports those of robots and assistants."""

from __future__ import annotations

import atexit
import logging
import os
import queue
import threading
import time
from functools import partial
from typing import Final, NamedTuple, TypeVar

from grapevine.api_schemas.unfurls import MOST_UNFURLS, UnfurlReport
from grapevine.client.address import Address
from grapevine.client.clients import Client
from grapevine.client.errors import ClientError
from grapevine.client.retry import Retries
from grapevine.collect.user_agents import LONGEST_AGENT, read_agent
from grapevine.config.logging import Seldom
from grapevine.domain import ids
from grapevine.domain.periods import rfc3339

log = logging.getLogger(__name__)
log.addFilter(Seldom())

MOST_WAITING: Final = 1_000
"""Notes that wait; more are dropped, so that an app whose Grapevine is away grows no further."""
EXIT_SECONDS: Final = 2.0
"""How long the end of a process waits for what is noted to be reported."""
TIMEOUT: Final = 10.0
RETRIES: Final = Retries(attempts=6, patience=120.0, first_pause=1.0, longest_pause=30.0)
LONGEST_PAUSE: Final = 60.0
_OLD_SECONDS: Final = 30.0
"""A note that waited longer is reported with its time; others by the server's clock, since this one may be wrong."""
_REMEMBERED: Final = 8_192

Key = TypeVar("Key")
Value = TypeVar("Value")


class Note(NamedTuple):
    """A request for a tagged page at a Unix time. ``agent`` has at most ``LONGEST_AGENT`` characters: a stranger sends
    as many as the app's server lets in."""

    token: str
    agent: str
    at: float


class Worker:
    """Reports the notes of one process, in the order they came."""

    def __init__(self, address: Address, site: str | None) -> None:
        self.waiting: queue.SimpleQueue[Note | None] = queue.SimpleQueue()
        self._people: dict[int, None] = {}
        self._reported: dict[tuple[str, str], int] = {}
        self._ending = threading.Event()
        self._process = os.getpid()
        self._make_client = partial(
            Client,
            address.url,
            address.key,
            site=site,
            timeout=TIMEOUT,
            retries=RETRIES,
            allow_http=True,  # the address has been checked
            environ={},
            sleep=self._pause,
        )
        self._thread = threading.Thread(target=self._run, name="grapevine-unfurls", daemon=True)

    def start(self) -> None:
        """Starts the thread; what is noted before the process ends is still reported, as far as ``EXIT_SECONDS`` do."""
        self._thread.start()
        atexit.register(self.finish)

    def is_person(self, agent: str) -> bool:
        """Whether the user agent is known to be that of no preview robot or assistant."""
        return hash(agent[:LONGEST_AGENT]) in self._people

    def finish(self) -> None:
        """Ends the thread when it has reported what waits, or when that takes too long."""
        atexit.unregister(self.finish)
        if os.getpid() == self._process:  # a forked child that ends has no such thread
            self._ending.set()
            self.waiting.put(None)
            self._thread.join(EXIT_SECONDS)

    def _run(self) -> None:
        client, pause = None, 1.0
        while True:
            notes, is_end = self._next()
            try:
                if reports := self._reports(notes):
                    client = client or self._make_client()  # reads the machine's certificates, which takes a moment
                    client.unfurls.report(reports)
                    pause = 1.0
            except Exception as error:  # the thread must outlive whatever a server sends back
                said = error if isinstance(error, ClientError) else type(error).__name__
                log.warning("%d unfurls could not be reported: %s", len(notes), said)
                self._pause(pause)
                pause = min(2 * pause, LONGEST_PAUSE)
            if is_end:
                if client is not None:
                    client.close()
                return

    def _pause(self, seconds: float) -> None:
        """Waits, but no longer than the process lives."""
        self._ending.wait(seconds)

    def _next(self) -> tuple[list[Note], bool]:
        """Returns the notes that wait, at least one, and whether they are the last; waits for the first."""
        notes: list[Note] = []
        while len(notes) < MOST_UNFURLS:
            try:
                note = self.waiting.get(block=not notes)
            except queue.Empty:
                break
            if note is None:
                return notes, True
            notes.append(note)
        return notes, False

    def _reports(self, notes: list[Note]) -> list[UnfurlReport]:
        """Returns what is to be reported: robots and assistants, each once a token, app and hour."""
        reports = []
        for token, agent, at in notes:
            app = read_agent(agent).preview
            if app is None:
                _remember(self._people, hash(agent), None)
                continue
            hour = int(at * 1000) // ids.HOUR_MS
            if self._reported.get((token, app)) == hour:
                continue
            _remember(self._reported, (token, app), hour)
            waited = time.time() - at > _OLD_SECONDS
            sent_at = rfc3339(int(at * 1000)) if waited else None
            reports.append(UnfurlReport(token=token, agent=agent, at=sent_at))
        return reports


def prepare() -> None:
    """Loads, before a process forks, what its children need: they share it, and none is left with half a module."""
    read_agent("Mozilla/5.0")
    Client("http://127.0.0.1", "none", environ={}).close()


def _remember(known: dict[Key, Value], key: Key, value: Value) -> None:
    if len(known) >= _REMEMBERED:
        known.clear()
    known[key] = value
