"""``Reporter``: takes notes of requests without waiting, and reports them in a thread of its own.

An app may fork after it was set up, as gunicorn's workers do, and a thread does not survive that. So nothing is started
before the first note, and all that a thread shares with requests belongs to one process.
"""

from __future__ import annotations

import os
import threading
import time
from typing import Final

from grapevine.client.address import find_address
from grapevine.collect.user_agents import LONGEST_AGENT
from grapevine.domain.token_urls import token_in_query
from grapevine.unfurl_reports.worker import MOST_WAITING, Note, Worker, prepare

MOST_QUERY: Final = 4_096
"""Characters of a query that are looked through for a token."""


class Reporter:
    """Reports to one site of one Grapevine server. All parameters are those of the middlewares.

    Raises ClientSettingError where the address or the key cannot be used: when an app starts, not while it serves.
    """

    def __init__(self, server: str, key: str, *, site: str | None, param: str, allow_http: bool) -> None:
        self._address = find_address(server, key, {}, allow_http=allow_http, scope="write")
        self._site = site
        self._param = param
        self._workers: dict[int, Worker] = {}
        self._locks: dict[int, threading.Lock] = {}
        prepare()

    def __repr__(self) -> str:
        return f"Reporter({self._address.url!r}, <hidden>)"

    def note(self, method: str, query: str, agent: str) -> None:
        """Notes a request for a page; does nothing where its query has no token. Waits for nothing."""
        if method not in ("GET", "HEAD"):
            return
        token = token_in_query(query[:MOST_QUERY], self._param)
        if token is None:
            return
        worker = self._worker()
        if not worker.is_person(agent) and worker.waiting.qsize() < MOST_WAITING:
            worker.waiting.put(Note(token, agent[:LONGEST_AGENT], time.time()))

    def close(self) -> None:
        """Reports what this process has noted, for at most two seconds, and ends its thread."""
        worker = self._workers.pop(os.getpid(), None)
        if worker is not None:
            worker.finish()

    def _worker(self) -> Worker:
        """The worker of this process; a forked child gets its own, and a lock that no thread of its parent holds."""
        process = os.getpid()
        worker = self._workers.get(process)
        if worker is None:
            with self._locks.setdefault(process, threading.Lock()):
                worker = self._workers.get(process)
                if worker is None:
                    worker = Worker(self._address, self._site)
                    worker.start()
                    self._workers[process] = worker
        return worker
