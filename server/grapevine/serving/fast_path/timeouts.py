"""How long the server waits for a client: for the next request, and for the whole of one that has begun.

uvicorn waits without end for a request that has begun, and sets up a timer after every answer. This protocol has one
timer a connection, which looks now and then since when the client has been silent.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

REQUEST_SECONDS: Final = 30.0
"""How long a request may take to arrive, from its first byte to its last."""


class TimeoutProtocol(HttpToolsProtocol):
    """uvicorn's protocol, whose patience ends: after ``request_seconds`` with a request, or the first one, that does
    not come whole, and after uvicorn's ``timeout_keep_alive`` between requests."""

    def __init__(self, *arguments: Any, request_seconds: float = REQUEST_SECONDS, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._request_seconds = request_seconds
        self._between_seconds = min(float(self.timeout_keep_alive), request_seconds)
        self._limit = request_seconds
        self._waiting_since: float | None = None
        self._look_later: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self._waiting_since = self.loop.time()
        self._look_later = self.loop.call_later(self._between_seconds, self._look)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._look_later is not None:
            self._look_later.cancel()
        super().connection_lost(exc)

    def on_message_begin(self) -> None:
        self._waiting_since, self._limit = self.loop.time(), self._request_seconds
        self.url, self.headers, self.expect_100_continue = b"", [], False

    def make_scope(self) -> None:
        """What uvicorn does at the beginning of every message, for those that take its way."""
        read = self.url, self.headers, self.expect_100_continue
        super().on_message_begin()
        self.url, self.headers[:], self.expect_100_continue = read

    def on_message_complete(self) -> None:
        self.whole_request()
        super().on_message_complete()

    def whole_request(self) -> None:
        """Nothing is waited for any more until it is answered."""
        self._waiting_since = None

    def on_response_complete(self) -> None:
        """As uvicorn's, without a timer of its own."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self._waiting_since is None:
            self._waiting_since, self._limit = self.loop.time(), self._between_seconds

    def _look(self) -> None:
        """Hangs up on a client that has been waited for long enough, else looks again when that could be so."""
        left = self._between_seconds
        if self._waiting_since is not None:
            left = self._waiting_since + self._limit - self.loop.time()
        if left <= 0:
            self.transport.close()
        else:
            self._look_later = self.loop.call_later(left, self._look)
