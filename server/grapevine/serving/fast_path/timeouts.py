"""Timeouts: for the next request of a connection, and for the whole of one that has begun.

uvicorn waits without end for a request that has begun, and sets up a timer after every response. This protocol uses the
one timer of its connection, which checks now and then how long the client has been silent.
"""

from __future__ import annotations

from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from grapevine.serving.fast_path.connection import LOOK_SECONDS, BoundedConnection
from grapevine.serving.fast_path.limits import REQUEST_SECONDS


class TimeoutProtocol(BoundedConnection, HttpToolsProtocol):
    """uvicorn's protocol with timeouts: ``request_seconds`` for a request, or the first one, to arrive as a whole, and
    uvicorn's ``timeout_keep_alive`` between requests."""

    def __init__(self, *arguments: Any, request_seconds: float = REQUEST_SECONDS, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._request_seconds = request_seconds
        self._between_seconds = min(float(self.timeout_keep_alive), request_seconds)
        self.look_seconds = min(LOOK_SECONDS, self._between_seconds)
        self._limit = request_seconds
        self._waiting_since: float | None = self.loop.time()

    def silence_left(self, now: float) -> float:
        if self._waiting_since is None:
            return self.look_seconds
        return self._waiting_since + self._limit - now

    def _end(self, *, graceful: bool) -> None:
        if graceful and self._limit == self._request_seconds:  # else the client rested between two requests, as it may
            self.count_hit("request-seconds")
        super()._end(graceful=graceful)

    def on_message_begin(self) -> None:
        self._waiting_since, self._limit = self.loop.time(), self._request_seconds
        self.url, self.headers = b"", []

    def make_scope(self) -> None:
        """Begins a message as uvicorn does, for requests that go through ASGI.

        It is put off until the headers are read: requests on the fast path need no scope. The list of headers is in the
        scope already, so it is filled in place.
        """
        url, headers = self.url, self.headers
        expects = any(name == b"expect" and value.lower() == b"100-continue" for name, value in headers)
        super().on_message_begin()
        self.url, self.headers[:], self.expect_100_continue = url, headers, expects

    def on_message_complete(self) -> None:
        self.whole_request()
        super().on_message_complete()

    def whole_request(self) -> None:
        """Stops the clock until the response is written."""
        self._waiting_since = None

    def on_response_complete(self) -> None:
        """Ends a response as uvicorn does, without a timer for each response."""
        self.server_state.total_requests += 1
        if self.transport.is_closing():
            return
        if self.flow.read_paused:
            self.flow.resume_reading()
        if self.pipeline:
            cycle, app = self.pipeline.pop()
            self._start_asgi_task(cycle, app)
        elif self._waiting_since is None:
            self._waiting_since, self._limit = self.loop.time(), self._between_seconds
